/**
 * The images the default task definitions run, pinned by version. A digest cannot be given for both architectures
 * without asking the registry; pin one yourself with ecs.ContainerImage.fromRegistry('…@sha256:…') where policy asks.
 */

/** Open WebUI with its local embedding model (open-webui/open-webui; same version as the PyPI package the settings were tried on, 2026-11). */
export const OPEN_WEBUI_IMAGE = 'ghcr.io/open-webui/open-webui:v0.12.4';

/** The Chroma server (chroma-core/chroma; same version as the PyPI package it was tried with, 2026-11). */
export const CHROMA_IMAGE = 'ghcr.io/chroma-core/chroma:1.5.9';

/** AWS's own image of the AWS CLI v2: Amazon Linux 2023 with its Python 3.9 (aws/aws-cli, docker/Dockerfile of branch v2, 2026-07). */
export const AWS_CLI_IMAGE = 'public.ecr.aws/aws-cli/aws-cli:2.36.7';
