import { Rule } from '../rule';

export const ACCESS_POINT_WITHOUT_USER: Rule = {
  name: 'AccessPointWithoutUser',
  finding: 'An access point has no POSIX user.',
  why: 'Files are made with the user of whatever container mounts: one image runs as root, the next as 1000, and the second cannot open the first one’s database.',
  source: 'Amazon EFS User Guide, Enforcing a user identity using an access point',
  wayOut: 'Set PosixUser with a Uid and a Gid, the same as in RootDirectory.CreationInfo.',
  check: ({ app }) =>
    app
      .ofType('AWS::EFS::AccessPoint')
      .filter(({ properties }) => properties.PosixUser === undefined)
      .map((resource) => ({ resource, problem: 'PosixUser is not set.', location: 'Properties.PosixUser' })),
};
