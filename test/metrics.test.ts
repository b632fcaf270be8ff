import { dataLayer } from './helpers';

test('metrics of the volume', () => {
  const { stack, data } = dataLayer();
  const metrics = [
    data.metricStorageBytes(),
    data.metricBurstCreditBalance(),
    data.metricPercentIoLimit(),
    data.metricClientConnections(),
    data.metricTotalIoBytes(),
  ].map((metric) => stack.resolve(metric.toMetricConfig().metricStat));
  expect(metrics.map((metric) => metric.metricName)).toEqual([
    'StorageBytes',
    'BurstCreditBalance',
    'PercentIOLimit',
    'ClientConnections',
    'TotalIOBytes',
  ]);
  for (const metric of metrics) {
    expect(metric.namespace).toBe('AWS/EFS');
    expect(metric.dimensions).toContainEqual({ name: 'FileSystemId', value: { Ref: expect.stringMatching(/^Data/) } });
  }
});
