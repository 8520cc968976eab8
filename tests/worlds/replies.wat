  ;; What it waits for comes and changes nothing.
  (func (export "ractor:actor/replies@0.1.0#handle-reply") (param i64 i32 i32 i32 i32) (result i32) (call $ok))
  (func (export "ractor:actor/replies@0.1.0#handle-wake") (param i64) (result i32) (call $ok))
