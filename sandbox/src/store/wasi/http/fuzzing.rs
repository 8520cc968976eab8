//! What the fuzz target `imports` calls: where guests ask to send requests, and what is granted.

use std::net::IpAddr;

use hyper::http::uri::Uri;

use super::target::Target;
use crate::policy::grants::{HostPattern, HttpOrigin};
use crate::store::wasi::reach::Reach;

/// A request to this place, whose host is at this address, by a guest with these grants.
pub fn request(uri: &str, address: IpAddr, grants: &[HttpOrigin]) {
    let Ok(uri) = uri.parse::<Uri>() else { return };
    let Some(target) = Target::of(&uri) else { return };
    let shown = target.to_string();
    let again = shown.parse::<Uri>().ok().and_then(|uri| Target::of(&uri));
    assert_eq!(again.as_ref(), Some(&target), "a request is said to go to {shown}");
    let is_one_host = |character: char| !"@/?#\\ ".contains(character) && !character.is_control();
    assert!(target.host.chars().all(is_one_host), "{target:?} is no one host");
    assert!(
        !(target.is_granted(&[]) || target.may_be_at(address, &[])),
        "nothing is granted"
    );
    if !target.is_granted(grants) || !target.may_be_at(address, grants) {
        return;
    }
    let as_such = grants.iter().any(|origin| {
        matches!(origin.endpoint.host, HostPattern::Net(..))
            && origin.is_for(target.scheme, target.port)
            && origin.endpoint.host.matches_address(address)
    });
    match Reach::of(address) {
        Reach::Public => {}
        Reach::Private => assert!(
            as_such
                || grants
                    .iter()
                    .any(|origin| matches!(origin.endpoint.host, HostPattern::Name(_))),
            "{target} leads to {address}, which no name in full and no address was granted for"
        ),
        Reach::ThisMachine => assert!(as_such || target.host == "localhost" || target.host == "localhost."),
        Reach::Special => assert!(as_such, "{target} leads to {address}"),
    }
}
