import { App } from 'aws-cdk-lib';
import { handWrittenStack } from './hand-written-stack';

/** The app of the yardstick. */
handWrittenStack(new App(), 'HandWritten');
