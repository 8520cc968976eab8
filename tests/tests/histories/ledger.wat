;; A guest that keeps what it is sent, in order, in a state that is checkpointed and reloaded. {VERSION} tells its versions apart.
;;
;; Memory: 16.. what exports return, 64.. what imports return, 256.. constants, 4096.. the heap, 2 MiB.. the state: the length of
;; what follows, in 64 bits, and nine bytes for each message, which are its sender and its number.
(module
  (import "ractor:actor/messaging@0.1.0" "cast" (func $cast (param i64 i64 i32 i32 i32 i32 i32)))
  (import "ractor:actor/groups@0.1.0" "members" (func $members (param i32 i32 i32 i32 i32 i32)))

  (memory (export "memory") 64)
  (global $heap (mut i32) (i32.const 4096))
  (global $state i32 (i32.const 2097152))

  (data (i32.const 256) "Ledger")
  (data (i32.const 272) "{VERSION}.0.0")
  (data (i32.const 288) "note")

  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $heap) (global.get $state)) (then unreachable))
    (local.get $at))

  (func $ok (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))
  (func $some (param $at i32) (param $length i32) (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store8 (i32.const 20) (i32.const 1))
    (i32.store (i32.const 24) (local.get $at))
    (i32.store (i32.const 28) (local.get $length))
    (i32.const 16))
  (func $length (result i32) (i32.wrap_i64 (i64.load (global.get $state))))

  (func $note (param $entry i32)
    (memory.copy
      (i32.add (i32.add (global.get $state) (i32.const 8)) (call $length)) (local.get $entry) (i32.const 9))
    (i64.store (global.get $state) (i64.add (i64.load (global.get $state)) (i64.const 9))))

  (func (export "ractor:actor/actor@0.1.0#describe") (result i32)
    (i32.store (i32.const 16) (i32.const 256)) (i32.store (i32.const 20) (i32.const 6))
    (i32.store (i32.const 24) (i32.const 272)) (i32.store (i32.const 28) (i32.const 5))
    (i32.store (i32.const 32) (i32.const 1))
    (i32.store8 (i32.const 36) (i32.const 0))
    (i32.store (i32.const 48) (i32.const 0)) (i32.store (i32.const 52) (i32.const 0))
    (i32.const 16))
  (func (export "ractor:actor/actor@0.1.0#pre-start") (param $args i32) (param $length i32) (result i32) (call $ok))
  (func (export "ractor:actor/actor@0.1.0#post-start") (result i32) (call $ok))
  (func (export "ractor:actor/actor@0.1.0#post-stop") (result i32) (call $ok))
  (func (export "ractor:actor/actor@0.1.0#handle-supervisor-evt")
    (param i32 i64 i64 i32 i32 i32 i32 i32 i32) (result i32) (call $ok))

  (func (export "ractor:actor/actor@0.1.0#handle-cast")
    (param $variant i32) (param $variant_length i32) (param $args i32) (param $length i32) (result i32)
    (local $letter i32)
    (global.set $heap (i32.const 4096))
    (local.set $letter (i32.load8_u (local.get $variant)))
    ;; note: a sender and a number
    (if (i32.eq (local.get $letter) (i32.const 0x6e)) (then (call $note (local.get $args))))
    ;; relay: the same, sent on as a note to the first member of the group that is named behind it
    (if (i32.eq (local.get $letter) (i32.const 0x72)) (then
      (call $members (i32.add (local.get $args) (i32.const 9)) (i32.sub (local.get $length) (i32.const 9))
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
      (if (i32.load (i32.const 68)) (then
        (call $cast
          (i64.load (i32.load (i32.const 64))) (i64.load offset=8 (i32.load (i32.const 64)))
          (i32.const 288) (i32.const 4) (local.get $args) (i32.const 9) (i32.const 64))))))
    ;; trap
    (if (i32.eq (local.get $letter) (i32.const 0x74)) (then unreachable))
    (call $ok))

  (func (export "ractor:actor/actor@0.1.0#handle-call")
    (param $variant i32) (param $variant_length i32) (param $args i32) (param $length i32) (param $reply_to i64)
    (result i32)
    (global.set $heap (i32.const 4096))
    ;; note
    (if (i32.eq (i32.load8_u (local.get $variant)) (i32.const 0x6e)) (then
      (call $note (local.get $args))
      (return (call $some (local.get $args) (i32.const 9)))))
    ;; all of them
    (call $some (i32.add (global.get $state) (i32.const 8)) (call $length)))

  (func (export "ractor:actor/reload@0.1.0#snapshot") (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store (i32.const 20) (global.get $state))
    (i32.store (i32.const 24) (i32.add (call $length) (i32.const 8)))
    (i32.const 16))
  (func (export "ractor:actor/reload@0.1.0#restore") (param $at i32) (param $length i32) (param $from i32) (result i32)
    (memory.copy (global.get $state) (local.get $at) (local.get $length))
    (call $ok))
  (func (export "ractor:actor/reload@0.1.0#post-reload") (result i32) (call $ok)))
