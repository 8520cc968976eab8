/** How a text for the runtime begins: what the build writes, and src/interpreter.js reads. */
export const SOURCE_MARK = "/* An actor for js-runtime.wasm, made by ractor-host. */ ";
