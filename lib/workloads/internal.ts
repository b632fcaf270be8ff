// What other rooms may use, and users of the package may not.
export { OPEN_WEBUI_CONTAINER, OPEN_WEBUI_PORT } from './open-webui';
export { requireWorkloadProps } from './props';
