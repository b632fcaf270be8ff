import {
  DBCluster,
  DBInstance,
  DBSubnetGroup,
  DescribeDBClusterParametersCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBParametersCommand,
  DescribeDBSubnetGroupsCommand,
  Parameter,
  RDSClient,
} from '@aws-sdk/client-rds';
import { pages } from '../aws/pages';
import { Calls } from './calls';
import { Memory, StackFacts } from './facts';

/** Databases of RDS and Aurora, their parameters and subnets, as RDS has them. Undefined is: there is none. */
export class LiveRds {
  constructor(
    private readonly client: RDSClient,
    private readonly calls: Calls,
    private readonly stack: StackFacts,
    private readonly memory: Memory,
  ) {}

  public instance(id: string): Promise<DBInstance | undefined> {
    return this.memory.once(`instance ${id}`, async () => {
      const answer = await this.calls.find(
        'rds:DescribeDBInstances',
        /^DBInstanceNotFound(Fault)?$/,
        this.stack.madeAt(id),
        () => this.client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id })),
      );
      return answer?.DBInstances?.[0];
    });
  }

  public cluster(id: string): Promise<DBCluster | undefined> {
    return this.memory.once(`cluster ${id}`, async () => {
      const answer = await this.calls.find(
        'rds:DescribeDBClusters',
        /^DBClusterNotFoundFault$/,
        this.stack.madeAt(id),
        () => this.client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: id })),
      );
      return answer?.DBClusters?.[0];
    });
  }

  public subnetGroup(name: string): Promise<DBSubnetGroup | undefined> {
    return this.memory.once(`subnet group ${name}`, async () => {
      const answer = await this.calls.find(
        'rds:DescribeDBSubnetGroups',
        /^DBSubnetGroupNotFoundFault$/,
        this.stack.madeAt(name),
        () => this.client.send(new DescribeDBSubnetGroupsCommand({ DBSubnetGroupName: name })),
      );
      return answer?.DBSubnetGroups?.[0];
    });
  }

  /**
   * Parameters by name: those that somebody set, or all with the defaults, which are several pages. Undefined when there
   * is no such group.
   */
  public parameters(
    name: string,
    ofCluster: boolean,
    all = false,
  ): Promise<Record<string, string | undefined> | undefined> {
    return this.memory.once(`parameters ${name} ${all}`, async () => {
      let found = true;
      const parameters = await pages<Parameter>(async (Marker) => {
        const more = { Source: all ? undefined : 'user', Marker };
        const answer = await (ofCluster ? this.ofCluster(name, more) : this.ofInstance(name, more));
        found = found && answer !== undefined;
        return { items: answer?.Parameters, token: answer?.Marker };
      });
      return found ? Object.fromEntries(parameters.map((one) => [one.ParameterName!, one.ParameterValue])) : undefined;
    });
  }

  private ofInstance(DBParameterGroupName: string, more: object) {
    return this.calls.find(
      'rds:DescribeDBParameters',
      /^DBParameterGroupNotFound(Fault)?$/,
      this.stack.madeAt(DBParameterGroupName),
      () => this.client.send(new DescribeDBParametersCommand({ DBParameterGroupName, ...more })),
    );
  }

  private ofCluster(DBClusterParameterGroupName: string, more: object) {
    return this.calls.find(
      'rds:DescribeDBClusterParameters',
      /^DB(Cluster)?ParameterGroupNotFound(Fault)?$/,
      this.stack.madeAt(DBClusterParameterGroupName),
      () => this.client.send(new DescribeDBClusterParametersCommand({ DBClusterParameterGroupName, ...more })),
    );
  }
}
