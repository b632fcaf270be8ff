// Node 20 works; the banner of the jsii tools about its end of life is no warning about this code. One of the two
// variables wants the major version, the other anything.
module.exports = {
  ...process.env,
  JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0],
  JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION: '1',
};
