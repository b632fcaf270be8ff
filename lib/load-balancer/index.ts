export { LoadBalancerOptions, OpenWebUiLoadBalancer, OpenWebUiLoadBalancerProps } from './load-balancer';
