import { check, compliant, compliantBut } from '../helpers';

test('compliant: a user', () => {
  expect(check(compliant())).toEqual([]);
});
test('non-compliant: none', () => {
  expect(check(compliantBut('Ap', (ap) => delete ap.PosixUser))).toEqual(['AccessPointWithoutUser Ap']);
});
