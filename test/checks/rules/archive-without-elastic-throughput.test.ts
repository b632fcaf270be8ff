import { check, compliant, compliantBut, problems } from '../helpers';

const archive = (ThroughputMode?: string) =>
  compliantBut('Fs', (fs) => {
    fs.LifecyclePolicies = [{ TransitionToIA: 'AFTER_30_DAYS' }, { TransitionToArchive: 'AFTER_90_DAYS' }];
    fs.ThroughputMode = ThroughputMode;
  });

test('compliant: elastic', () => {
  expect(check(archive('elastic'))).toEqual([]);
});
test('compliant: bursting without Archive', () => {
  expect(check(compliant())).toEqual([]);
  const onlyIa = compliantBut('Fs', (fs) => (fs.LifecyclePolicies = [{ TransitionToIA: 'AFTER_30_DAYS' }]));
  expect(check(onlyIa)).toEqual([]);
});
test.each([['bursting'], ['provisioned'], [undefined]])('non-compliant: %p', (mode) => {
  expect(problems(archive(mode))[0]).toContain(`ThroughputMode is "${mode ?? 'bursting'}"`);
  expect(check(archive(mode))).toEqual(['ArchiveWithoutElasticThroughput Fs']);
});
