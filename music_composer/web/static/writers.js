// Which command wrote a file, as far as the jobs that are shown tell: {command, values} by paths.
export const writers = new Map();
