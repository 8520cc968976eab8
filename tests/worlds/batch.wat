  ;; Each cast as if it came alone.
  (func (export "ractor:actor/batch@0.1.0#handle-casts")
    (param $bytes i32) (param $length i32) (param $sizes i32) (param $casts i32) (result i32)
    (loop $next
      (call $add (i32.add (local.get $bytes) (i32.load (local.get $sizes))))
      (local.set $bytes
        (i32.add (local.get $bytes) (i32.add (i32.load (local.get $sizes)) (i32.load offset=4 (local.get $sizes)))))
      (local.set $sizes (i32.add (local.get $sizes) (i32.const 8)))
      (br_if $next (call $messaging.next-cast)))
    (call $ok))
