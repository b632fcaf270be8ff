import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as efs from 'aws-cdk-lib/aws-efs';

/** A metric of the AWS/EFS namespace (docs.aws.amazon.com/efs/latest/ug/efs-metrics.html, read 2026-11). */
export function volumeMetric(
  fileSystem: efs.IFileSystem,
  metricName: string,
  statistic: string,
  props?: cloudwatch.MetricOptions,
  dimensions?: { [name: string]: string },
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/EFS',
    metricName,
    statistic,
    dimensionsMap: { FileSystemId: fileSystem.fileSystemId, ...dimensions },
    ...props,
  }).attachTo(fileSystem);
}
