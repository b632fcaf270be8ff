import { check, compliant, compliantBut } from '../helpers';

test('compliant: 1000', () => {
  expect(check(compliant())).toEqual([]);
});
test('compliant: the root group alone', () => {
  expect(check(compliantBut('Ap', (ap) => (ap.PosixUser.Gid = '0')))).toEqual([]);
});
test.each([['0'], [0]])('non-compliant: %p', (uid) => {
  expect(check(compliantBut('Ap', (ap) => (ap.PosixUser.Uid = uid)))).toEqual(['AccessPointAsRoot Ap']);
});
