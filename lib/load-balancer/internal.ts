// What other rooms may use, and users of the package may not.
export { isCidr } from './load-balancer';
