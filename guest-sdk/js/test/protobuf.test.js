// Messages of @bufbuild/protobuf: the length, then the message, as Rust's prost has them here.

import assert from "node:assert/strict";
import test from "node:test";

import { create, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, StructSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { TypeMismatch } from "ractor-guest";
import { protobuf } from "ractor-guest/protobuf";

const hex = (array) => Buffer.from(array).toString("hex");
const unhex = (text) => new Uint8Array(Buffer.from(text, "hex"));
const timestamp = protobuf(TimestampSchema);

test("a message has its length in front, in messages and not in states", () => {
  const value = create(TimestampSchema, { seconds: 2n ** 62n, nanos: 5 });
  assert.equal(hex(timestamp.encode(value)), "0c08808080808080808040" + "1005");
  assert.deepEqual(timestamp.decode(timestamp.encode(value)), value);
  assert.equal(hex(timestamp.encode(create(TimestampSchema, { nanos: 5 }))), "021005");
  assert.deepEqual(timestamp.decode(unhex("00")), create(TimestampSchema));
  assert.equal(timestamp.toState(create(TimestampSchema, { nanos: 5 })), "EAU=");
  assert.deepEqual(timestamp.fromState("EAU="), create(TimestampSchema, { nanos: 5 }));
  assert.equal(timestamp.name, "protobuf<google.protobuf.Timestamp>");
});

test("a long message has a long length", () => {
  const struct = protobuf(StructSchema);
  const value = create(StructSchema, { fields: { text: { kind: { case: "stringValue", value: "x".repeat(300) } } } });
  const bytes = struct.encode(value);
  assert.equal(bytes[0] >= 128 && bytes[1] < 128, true);
  assert.equal((bytes[0] % 128) + bytes[1] * 128, bytes.length - 2);
  assert.deepEqual(struct.decode(bytes), value);
});

test("what is no such message is refused", () => {
  for (const wrong of ["", "03", "021005ff", "0310", "80", "0210ff", "01ff"]) assert.throws(() => timestamp.decode(unhex(wrong)), TypeMismatch, wrong);
  for (const wrong of [undefined, {}, { seconds: 5n }, create(StructSchema)]) assert.throws(() => timestamp.encode(wrong), TypeMismatch);
});

test("the contract carries the descriptor with what it imports", () => {
  const { name, format, bytes } = timestamp.schema();
  assert.deepEqual([name, format], ["google.protobuf.Timestamp", "protobuf"]);
  assert.deepEqual(fromBinary(FileDescriptorSetSchema, bytes).file.map((file) => file.name), ["google/protobuf/timestamp.proto"]);
});
