import { CfnResource, Names, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as aoss from 'aws-cdk-lib/aws-opensearchserverless';
import { Construct } from 'constructs';
import { inputError, requireBoolean, requireWholeNumber } from '../../errors';
import { requireObject, requireStrings } from '../../inputs';
import { allowInto } from '../../storage/internal';
import { serviceSubnets, StoreContext } from '../context';
import { SearchAccess, SearchChoice } from './search-choice';

/** OpenSearch Serverless for evidence. */
export interface OpenSearchServerlessProps {
  /**
   * The IAM roles and users that may search, by ARN. Each needs `aoss:APIAccessAll` on the collection in its own
   * policies as well: without either of the two the answer is 403.
   *
   * @default - nobody but the evidence task
   */
  readonly readerArns?: string[];

  /**
   * The IAM roles and users that may fill the index, by ARN, for `efs-data-layer search index` from a workstation. They
   * need `aoss:APIAccessAll` as well.
   *
   * @default - the role of the evidence task only
   */
  readonly indexerArns?: string[];

  /**
   * Reached through an endpoint in the VPC only. The endpoint is billed by the hour, in two zones, awake or asleep: $14.60
   * a month in us-east-1 ($0.01 an hour and zone, price list 2026). Without it the address is public, and every request
   * is signed and checked by IAM and the data access policy.
   *
   * @default false
   */
  readonly privateAccess?: boolean;

  /**
   * The most that indexing may use, in OCU (6 GiB of memory each), 1 to 1696. An OCU costs $0.24 an hour (us-east-1; the
   * rate of NextGen is not on the price list of 2026-09-29 and is taken to be that of Classic).
   *
   * @default 2
   */
  readonly maxIndexingOcu?: number;

  /**
   * The most that search may use, in OCU, 1 to 1696.
   *
   * @default 2
   */
  readonly maxSearchOcu?: number;
}

/** The index of evidence. */
export const SEARCH_INDEX = 'evidence';

const HTTPS = 443;
/** What a search needs, and what filling it needs beside that (API reference, data access policies, read 2026-11). */
const READ = ['aoss:DescribeIndex', 'aoss:ReadDocument'];
const FILL = ['aoss:CreateIndex', 'aoss:UpdateIndex', 'aoss:WriteDocument'];
/** A role or a user. */
export const PRINCIPAL_ARN = /^arn:aws[a-z-]*:(iam|sts)::\d{12}:(role|user|assumed-role)\/[\w+=,.@/-]+$/;

export function openSearchServerless(props: OpenSearchServerlessProps): SearchChoice {
  return {
    name: 'open-search-serverless',
    create: (scope, context, indexer) =>
      new OpenSearchServerless(scope, 'OpenSearchServerless', context, indexer, props),
  };
}

class OpenSearchServerless extends Construct implements SearchAccess {
  public readonly endpoint: string;
  public readonly indexName = SEARCH_INDEX;
  private readonly door?: ec2.SecurityGroup;
  private readonly name: string;

  constructor(
    scope: Construct,
    id: string,
    context: StoreContext,
    indexer: iam.IRole,
    props: OpenSearchServerlessProps,
  ) {
    super(scope, id);
    requireObject(this, 'openSearchServerless', props, [], 'Pass an object of props, or none.');
    this.requireArns('readerArns', props.readerArns);
    this.requireArns('indexerArns', props.indexerArns);
    const isPrivate = props.privateAccess !== undefined && requireBoolean(this, 'privateAccess', props.privateAccess);
    const maxIndexing = requireWholeNumber(this, 'maxIndexingOcu', props.maxIndexingOcu ?? 2, 1, 1696);
    const maxSearch = requireWholeNumber(this, 'maxSearchOcu', props.maxSearchOcu ?? 2, 1, 1696);
    // Policies name a collection before it exists, so that its name must be known here. 28 characters at most.
    this.name = `edl-${Names.uniqueResourceName(this, { maxLength: 24, separator: '-', allowedSpecialCharacters: '-' }).toLowerCase()}`;

    const group = new aoss.CfnCollectionGroup(this, 'Group', {
      name: this.name,
      description: `Capacity for search over evidence, from zero: ${this.node.path}`,
      generation: 'NEXTGEN',
      // AWS refuses anything else for NextGen, where it costs nothing by itself.
      standbyReplicas: 'ENABLED',
      capacityLimits: {
        minIndexingCapacityInOcu: 0,
        maxIndexingCapacityInOcu: maxIndexing,
        minSearchCapacityInOcu: 0,
        maxSearchCapacityInOcu: maxSearch,
      },
    });
    if (isPrivate) {
      this.door = new ec2.SecurityGroup(this, 'SecurityGroup', {
        vpc: context.vpc,
        description: 'Search over evidence, from the services of the data layer only',
        allowAllOutbound: false,
      });
    }
    const before = [
      group,
      this.policy('Encryption', 'encryption', { Rules: [this.rule('collection')], AWSOwnedKey: true }),
      this.policy('Network', 'network', [this.network(context)]),
      this.dataAccess(indexer, props),
    ];
    const collection = new aoss.CfnCollection(this, 'Collection', {
      name: this.name,
      description: `Search over evidence of ${this.node.path}`,
      type: 'SEARCH',
      collectionGroupName: this.name,
    });
    // A changed tag replaces a collection, and its name would be taken by itself. The group carries the tags and the cost.
    collection.addPropertyDeletionOverride('Tags');
    before.forEach((resource) => collection.addResourceDependency(resource));
    // Made from the files, which stay. A collection that stayed would keep its group from going, and its name taken.
    collection.applyRemovalPolicy(RemovalPolicy.DESTROY);
    Validations.of(collection).acknowledge({
      id: 'EfsSafety-DataDeletedWithStack',
      reason:
        'It holds a copy of evidence files, which stay on the volume: efs-data-layer search index makes it again.',
    });
    indexer.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: ['aoss:APIAccessAll'], resources: [collection.attrArn] }),
    );
    this.endpoint = collection.attrCollectionEndpoint;
  }

  public allowFrom(peer: ec2.IConnectable): void {
    if (this.door) {
      allowInto(peer, this.door, HTTPS, 'Search over evidence');
    }
  }

  private rule(kind: 'collection' | 'index', permission?: string[]) {
    const resource = kind === 'index' ? `index/${this.name}/${SEARCH_INDEX}` : `collection/${this.name}`;
    return { ResourceType: kind, Resource: [resource], ...(permission && { Permission: permission }) };
  }

  private policy(id: string, type: string, document: object): CfnResource {
    return new aoss.CfnSecurityPolicy(this, id, {
      name: this.name,
      type,
      description: `${id} of search over evidence`,
      policy: Stack.of(this).toJsonString(document),
    });
  }

  private network(context: StoreContext): object {
    if (!this.door) {
      return { Rules: [this.rule('collection')], AllowFromPublic: true };
    }
    const endpoint = new aoss.CfnVpcEndpoint(this, 'Endpoint', {
      name: this.name,
      vpcId: context.vpc.vpcId,
      subnetIds: serviceSubnets(this, context.vpc, 'the endpoint of OpenSearch Serverless'),
      securityGroupIds: [this.door.securityGroupId],
    });
    return { Rules: [this.rule('collection')], AllowFromPublic: false, SourceVPCEs: [endpoint.attrId] };
  }

  /** One rule for those that fill it, one for those that read it. */
  private dataAccess(
    indexer: iam.IRole,
    { readerArns = [], indexerArns = [] }: OpenSearchServerlessProps,
  ): CfnResource {
    const access = (Description: string, permission: string[], Principal: string[]) => ({
      Description,
      Rules: [this.rule('index', permission)],
      Principal,
    });
    return new aoss.CfnAccessPolicy(this, 'DataAccess', {
      name: this.name,
      type: 'data',
      description: 'Who fills and who reads the search over evidence',
      policy: Stack.of(this).toJsonString([
        access('Fills and reads', [...FILL, ...READ], [indexer.roleArn, ...indexerArns]),
        ...(readerArns.length > 0 ? [access('Reads', READ, readerArns)] : []),
      ]),
    });
  }

  private requireArns(prop: string, arns: unknown): void {
    const wayOut = 'Pass ARNs, for example arn:aws:iam::123456789012:role/Auditor.';
    requireStrings(this, prop, arns, wayOut);
    for (const arn of (arns as string[] | undefined) ?? []) {
      if (!Token.isUnresolved(arn) && !PRINCIPAL_ARN.test(arn)) {
        throw inputError(this, `${prop} names ${JSON.stringify(arn)}, which is no role or user.`, wayOut);
      }
    }
  }
}
