//! Requests and answers as they travel.

use super::super::body::{decode_body, encode_body};
use super::*;
use crate::guest::Mode;
use crate::supervision::reload::OnFailure;

#[test]
fn a_body_is_json_and_bytes() {
    let request = Request::Upload {
        digest: "sha256:00".to_owned(),
        offset: 7,
    };
    let body = encode_body(&request, b"\0bytes").unwrap();
    assert_eq!(
        &body[4..],
        b"{\"ask\":\"upload\",\"digest\":\"sha256:00\",\"offset\":7}\0bytes"
    );
    assert_eq!(decode_body(&body), Some((request, &b"\0bytes"[..])));
    assert_eq!(decode_body::<Request>(&body[..20]), None);
    assert_eq!(decode_body::<Request>(b"\xff\xff\xff\xff{}"), None);
    assert_eq!(decode_body::<Request>(b""), None);
}

#[test]
fn a_reload_travels_as_what_its_sender_may_decide() {
    let json = r#"{"ask":"reload","id":"00ff00ff00ff00ff","digest":null,"module":"counter","mode":"restart","mixed":true,"dry_run":false,"force":true}"#;
    let request = Request::Reload {
        id: "00ff00ff00ff00ff".parse().unwrap(),
        digest: None,
        planned: None,
        reload: Reload {
            mode: Some(Mode::Restart),
            on_failure: OnFailure::Mixed,
            force: true,
            ..Reload::of("counter")
        },
    };
    assert_eq!(serde_json::to_string(&request).unwrap(), json);
    assert_eq!(serde_json::from_str::<Request>(json).unwrap(), request);
    let local = json.replace("\"mode\"", "\"file\":\"/etc/passwd\",\"probation_messages\":0,\"mode\"");
    assert_eq!(
        serde_json::from_str::<Request>(&local).unwrap(),
        request,
        "the rest is the node's"
    );
    let vague = json.replace(",\"dry_run\":false", "");
    assert!(
        serde_json::from_str::<Request>(&vague).is_err(),
        "nothing is done that was not asked for"
    );
}

#[test]
fn a_request_is_known_by_sixteen_digits() {
    let id: RequestId = "00ff00ff00ff00ff".parse().unwrap();
    assert_eq!(id.to_string(), "00ff00ff00ff00ff");
    let request = Request::Outcome { id };
    let body = encode_body(&request, b"").unwrap();
    assert_eq!(&body[4..], b"{\"ask\":\"outcome\",\"id\":\"00ff00ff00ff00ff\"}");
    assert_eq!(decode_body(&body), Some((request, &b""[..])));
    for text in ["", "1", "+0ff00ff00ff00ff", "00ff00ff00ff00ff0", "00ff00ff00ff00fx"] {
        assert!(text.parse::<RequestId>().is_err(), "{text}");
    }
}

#[test]
fn a_reply_is_bytes_or_a_refusal() {
    assert_eq!(decode_reply(&encode_reply(Ok(b"bytes"))), Some(Ok(&b"bytes"[..])));
    for refusal in ControlRefusal::ALL {
        assert_eq!(decode_reply(&encode_reply(Err(refusal))), Some(Err(refusal)));
    }
    assert_eq!(decode_reply(b""), None);
    assert_eq!(decode_reply(&[99]), None);
    assert_eq!(decode_reply(&[3, 0]), None);
}
