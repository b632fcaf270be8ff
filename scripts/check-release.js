// Refuses a tag that does not fit what would be released: node scripts/check-release.js v0.1.0. With --notes it prints
// what the changelog says of the version.
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

/** The text under the heading of a version; undefined when there is no such heading with a date. */
function notesOf(changelog, version) {
  const heading = `## [${version}] - `;
  const at = changelog.split('\n').findIndex((line) => line.startsWith(heading) && /\d{4}-\d\d-\d\d$/.test(line));
  if (at < 0) {
    return undefined;
  }
  const rest = changelog.split('\n').slice(at + 1);
  const end = rest.findIndex((line) => line.startsWith('## ') || /^\[[^\]]+\]: /.test(line));
  return rest
    .slice(0, end < 0 ? undefined : end)
    .join('\n')
    .trim();
}

/** What stands against releasing a tag. */
function problemsOf(tag) {
  const version = tag.replace(/^v/, '');
  const packages = ['package.json', 'cli/package.json'].map((file) => [file, JSON.parse(read(file)).version]);
  return [
    ...packages
      .filter(([, found]) => found !== version)
      .map(([file, found]) => `${file} has version ${found}. Set it to ${version}.`),
    ...(notesOf(read('CHANGELOG.md'), version)
      ? []
      : [`CHANGELOG.md has no "## [${version}] - <date>" with a text under it. Write one.`]),
    ...(fs.existsSync(path.join(root, 'test/upgrade-safety/releases', version))
      ? []
      : [`The templates of ${version} are not kept. Run: npm run release:templates`]),
    ...(fs.existsSync(path.join(root, `test/api/${version}.jsii.gz`))
      ? []
      : [`The API of ${version} is not kept. Run: npm run release:api`]),
  ];
}

module.exports = { notesOf, problemsOf };

if (require.main === module) {
  const [tag = '', option] = process.argv.slice(2);
  const problems = /^v\d+\.\d+\.\d+(-[\w.]+)?$/.test(tag)
    ? problemsOf(tag)
    : [`The tag is ${JSON.stringify(tag)}. Pass one like v0.1.0.`];
  if (problems.length > 0) {
    console.error(`Not released:\n- ${problems.join('\n- ')}`);
    process.exitCode = 1;
  } else if (option === '--notes') {
    console.log(notesOf(read('CHANGELOG.md'), tag.slice(1)));
  }
}
