//! What guests pass to WASI, to HTTP and to the log, and what others grant them.

use std::net::{IpAddr, SocketAddr};

use super::input::Input;
use crate::guest::fuzzing::{Asked, description, grant, line, request, socket};
use crate::guest::{Endpoint, HttpOrigin};

/// Addresses that matter: this machine, private networks, clouds, translators, and some that everybody can reach.
const ADDRESSES: [&str; 16] = [
    "127.0.0.1",
    "::1",
    "0.0.0.0",
    "10.0.0.5",
    "192.168.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "93.184.216.34",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1",
    "fd00:ec2::254",
    "fe80::1",
    "2606:2800:220:1::1",
    "255.255.255.255",
    "ff02::1",
];

/// Nothing that a guest says leads where nobody granted it to go, nor breaks a line of the log.
pub fn imports(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 8 {
        0 => {
            let grants = input.several(origin).into_iter().flatten().collect::<Vec<_>>();
            let address = address(&mut input);
            request(&String::from_utf8_lossy(input.rest()), address, &grants);
        }
        1 | 2 => {
            let endpoints = input.several(endpoint).into_iter().flatten().collect();
            let mut asked = Vec::new();
            while !input.is_empty() {
                asked.push(self::asked(&mut input));
            }
            socket(endpoints, &asked);
        }
        3 => description(input.rest()),
        4 => {
            let limit = usize::from(input.byte());
            line(&String::from_utf8_lossy(input.rest()), limit);
        }
        _ => grant(&String::from_utf8_lossy(input.rest())),
    }
}

fn asked(input: &mut Input<'_>) -> Asked {
    match input.byte() % 4 {
        0 => {
            let name = input.text().trim_end_matches('.').to_ascii_lowercase();
            Asked::Found(name, input.several(address))
        }
        1 => Asked::Connect(socket_address(input)),
        2 => Asked::Send(socket_address(input)),
        _ => Asked::Listen(socket_address(input)),
    }
}

fn socket_address(input: &mut Input<'_>) -> SocketAddr {
    let address = address(input);
    SocketAddr::new(
        address,
        match input.byte() % 4 {
            0 => 80,
            1 => 443,
            2 => 0,
            _ => 5432,
        },
    )
}

fn address(input: &mut Input<'_>) -> IpAddr {
    let number = input.byte();
    let known = ADDRESSES.get(usize::from(number)).and_then(|text| text.parse().ok());
    known.unwrap_or_else(|| {
        let bits = u128::from(input.number()) << 64 | u128::from(input.number());
        if number.is_multiple_of(2) {
            IpAddr::V4((bits as u32).into())
        } else {
            IpAddr::V6(bits.into())
        }
    })
}

fn origin(input: &mut Input<'_>) -> Option<HttpOrigin> {
    input.text().parse().ok()
}

fn endpoint(input: &mut Input<'_>) -> Option<Endpoint> {
    input.text().parse().ok()
}
