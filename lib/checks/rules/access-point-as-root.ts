import { asRecord, show } from '../json';
import { Rule } from '../rule';

export const ACCESS_POINT_AS_ROOT: Rule = {
  name: 'AccessPointAsRoot',
  finding: 'An access point maps every client to root.',
  why: 'With user id 0 file permissions protect nothing; and where a policy does not allow elasticfilesystem:ClientRootAccess, EFS takes the client for nobody, who cannot write.',
  source: 'Amazon EFS User Guide, Enforcing a user identity using an access point; Using IAM to control access',
  wayOut: 'Set PosixUser.Uid to the owner of the directory, for example 1000.',
  check: ({ app }) =>
    app
      .ofType('AWS::EFS::AccessPoint')
      .filter(({ properties }) => ['0', 0].includes(asRecord(properties.PosixUser).Uid as string | number))
      .map((resource) => ({
        resource,
        problem: `PosixUser.Uid is ${show(asRecord(resource.properties.PosixUser).Uid)}.`,
        location: 'Properties.PosixUser',
      })),
};
