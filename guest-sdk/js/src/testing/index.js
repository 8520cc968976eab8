// `ractor-guest/testing`: actors under a test runner, without WebAssembly.

export { TestNode } from "./node.js";
