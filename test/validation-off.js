// CloudFormation's rules take most of the time of a synth. Tests that are about them turn them on again.
process.env.CDK_VALIDATION = 'false';
