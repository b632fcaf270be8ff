import { WHY_ONE_WRITER } from '../../single-writer';
import { asScalars, show } from '../json';
import { Rule } from '../rule';
import { singleWriterServices } from '../single-writer-services';
import { AppTemplate, Resource } from '../template';

export const AUTO_SCALING: Rule = {
  name: 'AutoScaling',
  finding: 'Auto scaling may start a second task of a service that writes into a single-writer directory.',
  why: WHY_ONE_WRITER,
  source: 'Application Auto Scaling API, RegisterScalableTarget',
  wayOut: 'Remove the scalable target, or set its MaxCapacity to 1 (it can then still stop the service at night).',
  check: (checked) =>
    singleWriterServices(checked).flatMap(({ resource: service, directories }) =>
      checked.app
        .ofType('AWS::ApplicationAutoScaling::ScalableTarget')
        .filter((target) => scales(checked.app, target, service))
        .filter(({ properties }) => ![0, 1].includes(asScalars(properties.MaxCapacity) as number))
        .map((resource) => ({
          resource,
          problem: `MaxCapacity is ${show(resource.properties.MaxCapacity)}, and the service ${service.construct.node.path} writes into ${directories}.`,
          location: 'Properties.MaxCapacity',
        })),
    ),
};

/** The resource id is "service/<cluster>/<service name>". */
function scales(app: AppTemplate, { properties }: Resource, service: Resource): boolean {
  const { ResourceId } = properties;
  const { ServiceName } = service.properties;
  return (
    app.references(ResourceId).some(({ key }) => key === service.key) ||
    (typeof ServiceName === 'string' && typeof ResourceId === 'string' && ResourceId.endsWith(`/${ServiceName}`))
  );
}
