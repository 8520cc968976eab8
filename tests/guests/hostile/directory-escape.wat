;; Works on files by any path that it is told, also on those that lead out of its directories. A call has the number of a
;; directory, a letter for what to do, and the path; the answer is `ok`, what was read, or the number of WASI's error code.
(import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $directories (param i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.open-at"
  (func $open (param i32 i32 i32 i32 i32 i32 i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.read" (func $read (param i32 i64 i64 i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.stat-at" (func $stat (param i32 i32 i32 i32 i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.link-at"
  (func $link (param i32 i32 i32 i32 i32 i32 i32 i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.symlink-at" (func $symlink (param i32 i32 i32 i32 i32 i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.rename-at"
  (func $rename (param i32 i32 i32 i32 i32 i32 i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.unlink-file-at" (func $unlink (param i32 i32 i32 i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.create-directory-at" (func $create (param i32 i32 i32 i32)))
(data (i32.const 1024) "ok")
(data (i32.const 1040) "stolen")
(data (i32.const 1056) "bait")
(global $list (mut i32) (i32.const 0))

;; The directory with this number.
(func $directory (param $number i32) (result i32)
  (if (i32.eqz (global.get $list)) (then
    (call $directories (i32.const 64))
    (global.set $list (i32.load (i32.const 64)))))
  (i32.load (i32.add (global.get $list) (i32.mul (local.get $number) (i32.const 12)))))

;; The answer about a result that is at 2048, with its error code that far behind.
(func $outcome (param $offset i32) (result i32)
  (local $code i32)
  (if (i32.eqz (i32.load8_u (i32.const 2048))) (then (return (call $some (i32.const 1024) (i32.const 2)))))
  (local.set $code (i32.load8_u (i32.add (i32.const 2048) (local.get $offset))))
  (i32.store8 (i32.const 1072) (i32.add (i32.const 0x30) (i32.div_u (local.get $code) (i32.const 10))))
  (i32.store8 (i32.const 1073) (i32.add (i32.const 0x30) (i32.rem_u (local.get $code) (i32.const 10))))
  (call $some (i32.const 1072) (i32.const 2)))

(func (export "handle-call") (param i32 i32) (param $args i32) (param $length i32) (param i64) (result i32)
  (local $in i32) (local $what i32) (local $path i32)
  (local.set $in (call $directory (i32.sub (i32.load8_u (local.get $args)) (i32.const 0x30))))
  (local.set $what (i32.load8_u offset=1 (local.get $args)))
  (local.set $path (i32.add (local.get $args) (i32.const 2)))
  (local.set $length (i32.sub (local.get $length) (i32.const 2)))
  ;; r: read, through links
  (if (i32.eq (local.get $what) (i32.const 0x72)) (then
    (call $open (local.get $in) (i32.const 1) (local.get $path) (local.get $length)
      (i32.const 0) (i32.const 1) (i32.const 2048))
    (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 4)))))
    (call $read (i32.load (i32.const 2052)) (i64.const 100) (i64.const 0) (i32.const 2048))
    (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 4)))))
    (return (call $some (i32.load (i32.const 2052)) (i32.load (i32.const 2056))))))
  ;; w: make or empty, through links
  (if (i32.eq (local.get $what) (i32.const 0x77)) (then
    (call $open (local.get $in) (i32.const 1) (local.get $path) (local.get $length)
      (i32.const 9) (i32.const 2) (i32.const 2048))
    (return (call $outcome (i32.const 4)))))
  ;; t: look at, through links
  (if (i32.eq (local.get $what) (i32.const 0x74)) (then
    (call $stat (local.get $in) (i32.const 1) (local.get $path) (local.get $length) (i32.const 2048))
    (return (call $outcome (i32.const 8)))))
  ;; l: one more name for it
  (if (i32.eq (local.get $what) (i32.const 0x6c)) (then
    (call $link (local.get $in) (i32.const 0) (local.get $path) (local.get $length)
      (local.get $in) (i32.const 1040) (i32.const 6) (i32.const 2048))
    (return (call $outcome (i32.const 1)))))
  ;; s: a link to it
  (if (i32.eq (local.get $what) (i32.const 0x73)) (then
    (call $symlink (local.get $in) (local.get $path) (local.get $length)
      (i32.const 1040) (i32.const 6) (i32.const 2048))
    (return (call $outcome (i32.const 1)))))
  ;; m: move it in
  (if (i32.eq (local.get $what) (i32.const 0x6d)) (then
    (call $rename (local.get $in) (local.get $path) (local.get $length)
      (local.get $in) (i32.const 1040) (i32.const 6) (i32.const 2048))
    (return (call $outcome (i32.const 1)))))
  ;; o: move `bait` there
  (if (i32.eq (local.get $what) (i32.const 0x6f)) (then
    (call $rename (local.get $in) (i32.const 1056) (i32.const 4)
      (local.get $in) (local.get $path) (local.get $length) (i32.const 2048))
    (return (call $outcome (i32.const 1)))))
  ;; u: remove
  (if (i32.eq (local.get $what) (i32.const 0x75)) (then
    (call $unlink (local.get $in) (local.get $path) (local.get $length) (i32.const 2048))
    (return (call $outcome (i32.const 1)))))
  ;; d: make a directory
  (if (i32.eq (local.get $what) (i32.const 0x64)) (then
    (call $create (local.get $in) (local.get $path) (local.get $length) (i32.const 2048))
    (return (call $outcome (i32.const 1)))))
  unreachable)
