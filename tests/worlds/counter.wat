;; The counter that every component here is. What is put in the place of the braces makes it an actor of one world: every function that
;; the world imports, each by its own name, and the files beside this one for what it exports.
;;
;; Memory: 16.. what exports return, 64.. what imports return, 256.. constants, 1024 the count, 1032 whether it was reloaded,
;; 4096.. the heap.
(module
  {IMPORTS}
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 4096))

  (data (i32.const 256) "Counter")
  (data (i32.const 272) "1.0.0")
  (data (i32.const 288) "Add")
  (data (i32.const 304) "Get")
  (data (i32.const 320) "n")
  (data (i32.const 336) "u64")
  (data (i32.const 352) "Counts.")
  (data (i32.const 368) "Adds to the count.")
  (data (i32.const 400) "no soup")

  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (block $fits
      (loop $more
        (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (br $more)))
    (local.get $at))

  (func $ok (result i32)
    (i64.store (i32.const 16) (i64.const 0))
    (i64.store (i32.const 24) (i64.const 0))
    (i32.const 16))

  ;; Add: its argument is eight bytes of length, and the number, of which the last byte counts.
  (func $add (param $args i32)
    (i64.store (i32.const 1024)
      (i64.add (i64.load (i32.const 1024)) (i64.extend_i32_u (i32.load8_u offset=15 (local.get $args))))))

  ;; The count in eight bytes, of which all but the last are 0, and behind it whether it was reloaded.
  (func $count
    (i64.store (i32.const 2048) (i64.const 0))
    (i32.store8 (i32.const 2055) (i32.load8_u (i32.const 1024)))
    (i32.store8 (i32.const 2048) (i32.load8_u (i32.const 1032))))

  (func (export "ractor:actor/actor@0.1.0#describe") (result i32)
    (i32.store (i32.const 16) (i32.const 256)) (i32.store (i32.const 20) (i32.const 7))
    (i32.store (i32.const 24) (i32.const 272)) (i32.store (i32.const 28) (i32.const 5))
    (i32.store (i32.const 32) (i32.const 1))
    (i32.store (i32.const 36) (i32.const 1))
    (i32.store (i32.const 40) (i32.const 336)) (i32.store (i32.const 44) (i32.const 3))
    (i32.store (i32.const 48) (i32.const 0)) (i32.store (i32.const 52) (i32.const 0))
    (i32.const 16))

  ;; The start argument, whose last byte counts.
  (func (export "ractor:actor/actor@0.1.0#pre-start") (param $args i32) (param $length i32) (result i32)
    (i64.store (i32.const 1024) (i64.extend_i32_u (i32.load8_u offset=7 (local.get $args))))
    (call $ok))
  (func (export "ractor:actor/actor@0.1.0#post-start") (result i32) (call $ok))
  (func (export "ractor:actor/actor@0.1.0#handle-cast")
    (param $variant i32) (param $variant_length i32) (param $args i32) (param $length i32) (result i32)
    (call $add (local.get $args))
    (call $ok))
  (func (export "ractor:actor/actor@0.1.0#handle-call")
    (param $variant i32) (param $variant_length i32) (param $args i32) (param $length i32) (param $reply_to i64)
    (result i32)
    (call $count)
    (i32.store (i32.const 16) (i32.const 0))
    (i32.store (i32.const 20) (i32.const 1))
    (i32.store (i32.const 24) (i32.const 2048)) (i32.store (i32.const 28) (i32.const 8))
    (i32.const 16))
  (func (export "ractor:actor/actor@0.1.0#handle-supervisor-evt")
    (param i32 i64 i64 i32 i32 i32 i32 i32 i32) (result i32) (call $ok))
  (func (export "ractor:actor/actor@0.1.0#post-stop") (result i32) (call $ok))

  {EXPORTS})
