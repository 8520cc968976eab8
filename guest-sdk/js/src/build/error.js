/** What a user did, or has, that can't be built: its text is all that is shown. */
export class BuildError extends Error {
  get name() {
    return "BuildError";
  }
}
