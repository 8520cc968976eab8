// Messages of @bufbuild/protobuf (version 2), which the actor's own package depends on.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

import { fromBase64, toBase64 } from "./types/base64.js";
import { checkName } from "./types/others.js";
import { Type, TypeMismatch, bytesOf, refuse } from "./types/type.js";

/** The files that a file needs, each before those that need it, and itself last. */
function withImports(file, seen = new Set()) {
  if (seen.has(file)) return [];
  seen.add(file);
  return [...file.dependencies.flatMap((dependency) => withImports(dependency, seen)), file.proto];
}

function varint(length) {
  const bytes = [];
  while (length > 127) {
    bytes.push((length % 128) + 128);
    length = Math.floor(length / 128);
  }
  return Uint8Array.of(...bytes, length);
}

/** Where a varint ends, and what it is. */
function readVarint(bytes) {
  let value = 0;
  for (let at = 0, factor = 1; at < bytes.length && at < 7; at++, factor *= 128) {
    value += (bytes[at] % 128) * factor;
    if (bytes[at] < 128) return [at + 1, value];
  }
  throw new TypeMismatch("the length in front of the message is cut off");
}

/** A message of protobuf: `protobuf(OrderSchema)`, where protoc-gen-es generated `OrderSchema`. */
export function protobuf(schema) {
  const name = `protobuf<${checkName(schema.typeName)}>`;
  const write = (value) => {
    if (value?.$typeName !== schema.typeName) refuse(value, `${name}: make it with create(…Schema, { … })`);
    return toBinary(schema, value);
  };
  const parse = (bytes) => {
    try {
      return fromBinary(schema, bytes);
    } catch (error) {
      throw new TypeMismatch(`it is no ${name}: ${error.message}`);
    }
  };
  return new Type(name, {
    encode(value) {
      const message = write(value);
      const length = varint(message.length);
      const bytes = new Uint8Array(length.length + message.length);
      bytes.set(length);
      bytes.set(message, length.length);
      return bytes;
    },
    read(view, at, size) {
      const bytes = bytesOf(view, at, size);
      const [start, length] = readVarint(bytes);
      if (length !== size - start) throw new TypeMismatch(`the message has ${size - start} bytes, and its length says ${length}`);
      return parse(bytes.subarray(start));
    },
    toState: (value) => toBase64(write(value)),
    fromState: (text) => parse(fromBase64(text, name)),
    schema: () => ({
      name: schema.typeName,
      format: "protobuf",
      bytes: toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: withImports(schema.file) })),
    }),
  });
}
