/** What provisioning has to know of a part. */

export interface Part {
  /** As in messages: `temporal 1.5.1`. */
  readonly title: string;
  readonly verb: 'building' | 'fetching';
  /** Its folder in the cache: another version or recipe is another folder. */
  readonly folder: string;
  /** Whether the finished folder is there and can still be used. Looks at files only. */
  isUsable(): boolean;
  /** Makes it in `draft`, an empty folder that becomes the part's own when this resolves. */
  build(draft: string, tools: BuildTools): Promise<void>;
}

export interface BuildTools {
  /** Runs a command to its end, its output going to the part's log. Rejects with `StackFailed`. */
  run(command: Command): Promise<void>;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** On top of the caller's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** More than once for commands that resume a download that broke. */
  readonly attempts?: number;
}
