export { TypeMismatch } from "./type.js";
export { asNumber, bool, char, f32, f64, i128, i16, i32, i64, i8, u128, u16, u32, u64, u8 } from "./numbers.js";
export { bytes, json, list, map, opaque, option, pot, string, transient, typedList, unit } from "./others.js";
