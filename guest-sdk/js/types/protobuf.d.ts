import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Type } from "./index.js";

/**
 * A message of protobuf: `protobuf(OrderSchema)`, where `protoc-gen-es` (version 2) generated `OrderSchema`. Values are made with
 * `create(OrderSchema, { … })` of @bufbuild/protobuf, which the actor's package depends on.
 */
export function protobuf<D extends DescMessage>(schema: D): Type<MessageShape<D>>;
