/** Another computer, and the workspace's folder on it, both as the YAML named them. */
export interface Place {
  host: string;
  folder: string;
}
