import { asRecords } from '../../checks/internal';
import { Pricer, Pricing } from '../pricing';
import { RATE } from '../rates';

/** CloudWatch: logs, metrics, alarms, dashboards. Free allowances are those of the account, taken as unused. */
export const MONITORING: { [type: string]: Pricer } = {
  'AWS::Logs::LogGroup': {
    part: 'data layer',
    price: (pricing) => {
      const infrequent = pricing.text('LogGroupClass', 'STANDARD') === 'INFREQUENT_ACCESS';
      pricing.line(
        infrequent ? 'Logs ingested (Infrequent Access)' : 'Logs ingested',
        infrequent ? RATE.logsInfrequentIngest : RATE.logsIngest,
        (use) => use('logs.ingestedGB'),
      );
      // Kept for ever: the bill is that of the month after the first year.
      const days = pricing.number('RetentionInDays', 365);
      pricing.line(
        pricing.property('RetentionInDays') === undefined
          ? 'Logs stored, after a year (never deleted)'
          : `Logs stored, ${days} days`,
        RATE.logsStorage,
        (use) => (use('logs.ingestedGB') * (days * 12) * use('logs.compressionPercent')) / 365 / 100,
      );
      pricing.line('Logs Insights, scanned', RATE.logsScan, (use) => use('logs.scannedGB'));
      pricing.line('Metrics written as log lines', RATE.customMetric, (use) => use('cloudwatch.embeddedMetrics'));
    },
  },
  'AWS::CloudWatch::Alarm': {
    part: 'data layer',
    price: (pricing) => {
      // Every metric that a metric-math alarm reads counts.
      const metrics = asRecords(pricing.property('Metrics')).filter(({ MetricStat }) => MetricStat !== undefined);
      pricing.line('Alarm, per metric', RATE.metricAlarm, () => Math.max(1, metrics.length));
    },
  },
  'AWS::CloudWatch::CompositeAlarm': {
    part: 'data layer',
    price: (pricing) => pricing.line('Composite alarm', RATE.compositeAlarm, () => 1),
  },
  'AWS::CloudWatch::Dashboard': {
    part: 'data layer',
    price: (pricing) => pricing.line('Dashboard', RATE.dashboard, () => 1),
  },
  'AWS::CloudWatch::InsightRule': {
    part: 'data layer',
    price: (pricing) => pricing.line('Contributor Insights rule', RATE.contributorInsightsRule, () => 1),
  },
  'AWS::Logs::MetricFilter': {
    part: 'data layer',
    price: (pricing) =>
      pricing.line('Custom metric of the filter', RATE.customMetric, () => {
        const filters = pricing.resources.ofType('AWS::Logs::MetricFilter');
        const before = filters.slice(0, filters.indexOf(pricing.resource));
        // Filters that publish the same metric are one metric, billed where it comes first.
        const known = new Set(before.flatMap((filter) => metricsOf(pricing, filter)));
        const count = pricing.count('MetricTransformations', 1);
        return Math.max(count - metricsOf(pricing).filter((metric) => known.has(metric)).length, 0);
      }),
  },
};

/** The metrics of a filter. One with dimensions is another for each of their values, and equal to none. */
function metricsOf(pricing: Pricing, filter = pricing.resource): string[] {
  return asRecords(pricing.property('MetricTransformations', filter))
    .filter(({ Dimensions }) => Dimensions === undefined)
    .map(({ MetricNamespace, MetricName }) => JSON.stringify([filter.region, MetricNamespace, MetricName]));
}
