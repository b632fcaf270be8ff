export { VolumeBackup } from './backup';
export { DataVolume, DataVolumeProps } from './data-volume';
export { ExistingFileSystem } from './existing-file-system';
