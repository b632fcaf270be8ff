/** What evidence is asked with on the volume when no image is named: Node and npm, for both architectures. */
export const NODE_IMAGE = 'public.ecr.aws/docker/library/node:22.21.1-trixie-slim';
