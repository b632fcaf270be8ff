import { Pricer, Pricing } from '../pricing';
import { RATE } from '../rates';
import { HOURS } from '../usage-keys';

/** NAT gateways and interface endpoints are billed by the hour whether used or not; a gateway endpoint is free. */
export const NETWORK: { [type: string]: Pricer } = {
  'AWS::EC2::NatGateway': {
    part: 'data layer',
    price: (pricing) => {
      pricing.line('NAT gateway', RATE.natHour, () => HOURS);
      pricing.line('Data processed', RATE.natData, (use) => use('nat.processedGB'));
    },
  },
  'AWS::EC2::VPCEndpoint': {
    part: 'data layer',
    price: (pricing) => {
      const type = pricing.text('VpcEndpointType', 'Gateway');
      if (type === 'Gateway') {
        return;
      }
      if (type !== 'Interface') {
        pricing.notPriced(`an endpoint of type ${type} has no rate`);
        return;
      }
      priceInterface(pricing);
    },
  },
  // Made by OpenSearch Serverless, billed as any interface endpoint.
  'AWS::OpenSearchServerless::VpcEndpoint': {
    part: 'data layer',
    price: (pricing) => priceInterface(pricing),
  },
  'AWS::EC2::EIP': {
    part: 'compute',
    price: (pricing) => pricing.line('Public IPv4 address', RATE.publicIpv4, () => HOURS),
  },
  'AWS::ElasticLoadBalancingV2::LoadBalancer': {
    part: 'compute',
    price: (pricing) => {
      const type = pricing.text('Type', 'application');
      if (type !== 'application') {
        pricing.notPriced(`a load balancer of type ${type} has no rate`);
        return;
      }
      pricing.line('Application Load Balancer', RATE.albHour, () => HOURS);
      pricing.line('Load Balancer Capacity Units', RATE.albLcu, (use) => use('alb.lcu') * HOURS);
      if (pricing.text('Scheme', 'internet-facing') === 'internet-facing') {
        const zones = pricing.count('Subnets', 0) || pricing.count('SubnetMappings', 2);
        pricing.line('Public IPv4 addresses', RATE.publicIpv4, () => HOURS * zones);
      }
    },
  },
};

function priceInterface(pricing: Pricing): void {
  const zones = pricing.count('SubnetIds', 1);
  pricing.line(`Interface endpoint in ${zones} zone(s)`, RATE.endpointHour, () => HOURS * zones);
  pricing.line('Data processed', RATE.endpointData, (use) => use('endpoint.processedGB'));
}
