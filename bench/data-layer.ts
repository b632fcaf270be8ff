import { App } from 'aws-cdk-lib';
import { DataLayerStack } from '../lib';

/** The same stack as the app's, without cdk-nag: what the construct itself costs. */
new DataLayerStack(new App(), 'EfsDataLayer');
