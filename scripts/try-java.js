// Makes the Java package of dist/package, compiles it and the README's first app (test/languages/Chat.java) against
// aws-cdk-lib from Maven Central, and synthesizes: the template must be the one that TypeScript makes with the same version of
// aws-cdk-lib. Needs a JDK, Maven and the network; its downloads (175 MB) stay in .tmp/java.
const fs = require('fs');
const path = require('path');
const { Missing, generate, inFolder, need, root, run, sameAsTypeScript } = require('./languages');

const repository = path.join(root, '.tmp', 'java');
const manifest = require('../package.json');

/** Our own version of aws-cdk-lib, or the lowest we support where the repository is behind. */
const CANDIDATES = [
  require('aws-cdk-lib/package.json').version,
  manifest.peerDependencies['aws-cdk-lib'].replace('^', ''),
];

const mvn = (folder, ...args) => run(folder, 'mvn', ['-q', '-B', `-Dmaven.repo.local=${repository}`, ...args]);

/** Can this version be had, with its jar? */
function available(folder, version) {
  const artifact = `software.amazon.awscdk:aws-cdk-lib:${version}`;
  try {
    mvn(folder, 'dependency:get', `-Dartifact=${artifact}`);
    return true;
  } catch {
    return false;
  }
}

inFolder('Java', (folder) => {
  need(['java', 'javac', 'mvn'], 'On Debian: apt-get install default-jdk-headless maven');
  const version = CANDIDATES.find((candidate) => available(folder, candidate));
  if (!version) {
    throw new Missing(`Maven found none of aws-cdk-lib ${CANDIDATES.join(', ')}.`);
  }
  const directory = generate(folder, 'java', '--code-only');
  const pom = path.join(directory, 'pom.xml');
  // A range would make Maven ask for the newest, which a repository that is behind does not have.
  const text = fs.readFileSync(pom, 'utf8');
  const pinned = text.replace(
    /(<artifactId>aws-cdk-lib<\/artifactId>\s*<version>)[^<]+/,
    (_, before) => `${before}${version}`,
  );
  if (pinned === text) {
    throw new Error('The generated pom.xml names no version of aws-cdk-lib.');
  }
  fs.writeFileSync(pom, pinned);
  mvn(directory, 'package', '-DskipTests', '-Dmaven.javadoc.skip=true', '-Dmaven.source.skip=true');
  mvn(directory, 'dependency:build-classpath', `-Dmdep.outputFile=${path.join(folder, 'classpath')}`);
  const jars = path.join(directory, 'target');
  const jar = fs.readdirSync(jars).find((name) => /^efs-data-layer-[\d.]+\.jar$/.test(name));
  const classpath = [folder, path.join(jars, jar), fs.readFileSync(path.join(folder, 'classpath'), 'utf8').trim()].join(
    ':',
  );
  run(folder, 'javac', ['-cp', classpath, '-d', folder, path.join(root, 'test', 'languages', 'Chat.java')]);
  const out = path.join(folder, 'java.out');
  run(folder, 'java', ['-cp', classpath, 'Chat'], { CDK_OUTDIR: out });
  const [, constructs] = /constructs-(\d+\.\d+\.\d+)\.jar/.exec(classpath);
  const same = sameAsTypeScript(folder, out, { 'aws-cdk-lib': version, constructs });
  return `${jar}, ${fs.statSync(path.join(jars, jar)).size} bytes; ${same}`;
});
