;; Never comes back from cleaning up after a reply.
(func (export "post-return handle-call") (param i32) (call $spin))
