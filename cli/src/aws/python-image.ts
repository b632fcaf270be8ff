/** The image of the keeper's own container beside an image without Python; the same as the construct's PYTHON_IMAGE. */
export const PYTHON_IMAGE = 'public.ecr.aws/docker/library/python:3.13.9-slim-trixie';
