;; Puts every call off and forgets it.
(func (export "handle-call") (param i32 i32 i32 i32 i64) (result i32) (call $none))
