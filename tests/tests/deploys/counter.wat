;; A counter that is deployed again and again. What is written {LIKE_THIS} is filled in: one file is every version.
;; {FAIL} says at what it fails: 1 snapshot, 2 restore, 3 restore of a count of 100 or more, 4 restore never ends, 5 restore of
;; a count below 50.
;;
;; {HAS_START} is 1 if it says that it starts with a u64; it starts with anything.
;;
;; Messages: `add` (u8), `trap`, `slow`, which takes a while and adds 1; calls `get` and `version`, each with a u64 as its reply.
;;
;; Memory: 16.. what exports return, 256.. constants, 1024 the count, 2048 the reply to a call, 4096.. the heap.
(module
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))

  (data (i32.const 256) "Counter")
  (data (i32.const 272) "{VERSION}.0.0")
  (data (i32.const 304) "as the test wants")
  (data (i32.const 352) "u64")

  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    ;; Nothing is kept over a message: the heap begins anew before its end.
    (if (i32.gt_u (global.get $heap) (i32.const 60000)) (then (global.set $heap (i32.const 4096))))
    (local.get $at))

  (func $ok (result i32)
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.const 16))
  (func $err (result i32)
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store (i32.const 20) (i32.const 304))
    (i32.store (i32.const 24) (i32.const 17))
    (i32.const 16))
  ;; The reply: a number below 256, as eight bytes of which the last counts.
  (func $number (param $number i32) (result i32)
    (i32.store8 (i32.const 2055) (local.get $number))
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store8 (i32.const 20) (i32.const 1))
    (i32.store (i32.const 24) (i32.const 2048))
    (i32.store (i32.const 28) (i32.const 8))
    (i32.const 16))

  (func (export "ractor:actor/actor@0.1.0#describe") (result i32)
    (i32.store (i32.const 16) (i32.const 256)) (i32.store (i32.const 20) (i32.const 7))
    (i32.store (i32.const 24) (i32.const 272)) (i32.store (i32.const 28) (i32.const 5))
    (i32.store (i32.const 32) (i32.const {STATE_VERSION}))
    (i32.store8 (i32.const 36) (i32.const {HAS_START}))
    (i32.store (i32.const 40) (i32.const 352)) (i32.store (i32.const 44) (i32.const 3))
    (i32.store (i32.const 48) (i32.const 0)) (i32.store (i32.const 52) (i32.const 0))
    (i32.const 16))

  (func (export "ractor:actor/actor@0.1.0#pre-start") (param $args i32) (param $length i32) (result i32) (call $ok))
  (func (export "ractor:actor/actor@0.1.0#post-start") (result i32) (call $ok))
  (func (export "ractor:actor/actor@0.1.0#post-stop") (result i32) (call $ok))
  (func (export "ractor:actor/actor@0.1.0#handle-supervisor-evt")
    (param i32 i64 i64 i32 i32 i32 i32 i32 i32) (result i32)
    (call $ok))

  (func (export "ractor:actor/actor@0.1.0#handle-cast")
    (param $variant i32) (param $variant_length i32) (param $args i32) (param $length i32) (result i32)
    ;; trap
    (if (i32.eq (i32.load8_u (local.get $variant)) (i32.const 0x74)) (then unreachable))
    ;; slow
    (if (i32.eq (i32.load8_u (local.get $variant)) (i32.const 0x73)) (then
      (local.set $length (i32.const 100000000))
      (loop $while
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br_if $while (local.get $length)))
      (i32.store (i32.const 1024) (i32.add (i32.load (i32.const 1024)) (i32.const 1)))
      (return (call $ok))))
    ;; add: one byte, behind its length
    (i32.store (i32.const 1024)
      (i32.add (i32.load (i32.const 1024)) (i32.load8_u offset=8 (local.get $args))))
    (call $ok))

  (func (export "ractor:actor/actor@0.1.0#handle-call")
    (param $variant i32) (param $variant_length i32) (param $args i32) (param $length i32) (param $reply_to i64)
    (result i32)
    ;; version
    (if (i32.eq (i32.load8_u (local.get $variant)) (i32.const 0x76)) (then (return (call $number (i32.const {VERSION})))))
    ;; get
    (call $number (i32.load (i32.const 1024))))

  (func (export "ractor:actor/reload@0.1.0#snapshot") (result i32)
    (if (i32.eq (i32.const {FAIL}) (i32.const 1)) (then (return (call $err))))
    (i32.store8 (i32.const 16) (i32.const 0))
    (i32.store (i32.const 20) (i32.const 1024))
    (i32.store (i32.const 24) (i32.const 4))
    (i32.const 16))

  (func (export "ractor:actor/reload@0.1.0#restore") (param $at i32) (param $length i32) (param $from i32) (result i32)
    (i32.store (i32.const 1024) (i32.load (local.get $at)))
    (if (i32.eq (i32.const {FAIL}) (i32.const 2)) (then (return (call $err))))
    (if (i32.eq (i32.const {FAIL}) (i32.const 3)) (then
      (if (i32.ge_u (i32.load (i32.const 1024)) (i32.const 100)) (then (return (call $err))))))
    (if (i32.eq (i32.const {FAIL}) (i32.const 5)) (then
      (if (i32.lt_u (i32.load (i32.const 1024)) (i32.const 50)) (then (return (call $err))))))
    (if (i32.eq (i32.const {FAIL}) (i32.const 4)) (then (loop $for_ever (br $for_ever))))
    (call $ok))

  (func (export "ractor:actor/reload@0.1.0#post-reload") (result i32) (call $ok)))
