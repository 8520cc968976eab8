//! What people write in place of HOST:PORT, and what they meant.

use std::net::Ipv6Addr;

/// A text that is not HOST:PORT, but nearly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistaken {
    /// What is wrong with it.
    pub reason: &'static str,
    /// What to write in its place.
    pub instead: Instead,
}

/// What was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// That is not known.
    Nothing,
    /// This address.
    Address(String),
    /// These, where several are possible.
    Several(Vec<String>),
}

impl Instead {
    /// What to do, in words, where several addresses are possible; none if that is not known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Address(address) => Some(format!("did you mean `{address}`?")),
            Self::Several(addresses) => {
                let quoted: Vec<String> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
                Some(format!("write each in quotes of its own: {}", quoted.join(", ")))
            }
        }
    }
}

/// What is wrong with this text, if it is one of the usual mistakes. `port` is what is suggested where none was written.
pub fn mistaken(text: &str, port: &str) -> Option<Mistaken> {
    let found = |reason, instead| Some(Mistaken { reason, instead });
    // First of all, because each of several may have a mistake of its own, which is mended with it.
    let several: Vec<&str> = text
        .split([',', ';'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if several.len() > 1 {
        let meant = |part: &&str| match mistaken(part, port).map(|mistaken| mistaken.instead) {
            Some(Instead::Address(address)) => address,
            _ => (*part).to_owned(),
        };
        let instead = Instead::Several(several.iter().map(meant).collect());
        return found("it is several addresses in one", instead);
    }
    if let Some((_, rest)) = text.split_once("://") {
        let address = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let address = address.rsplit('@').next().unwrap_or_default();
        return found("it begins with a scheme", with_port(address, port));
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && host.parse::<Ipv6Addr>().is_ok()
        && (port == "*" || port.parse::<u16>().is_ok())
    {
        let address = format!("[{host}]:{port}");
        return found("an IPv6 address needs brackets", Instead::Address(address));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if bare.unwrap_or(text).parse::<Ipv6Addr>().is_ok() {
        let address = format!("[{}]:{port}", bare.unwrap_or(text));
        return found("it has no port", Instead::Address(address));
    }
    None
}

/// The address that stood behind a scheme, with this port if it had none.
fn with_port(address: &str, port: &str) -> Instead {
    if let Some(mistaken) = mistaken(address, port) {
        return mistaken.instead;
    }
    match address.rsplit_once(':') {
        None if address.is_empty() => Instead::Nothing,
        None => Instead::Address(format!("{address}:{port}")),
        Some((host, port)) => {
            let is_host = !host.is_empty() && (!host.contains(':') || host.starts_with('['));
            if is_host && (port == "*" || port.parse::<u16>().is_ok()) {
                Instead::Address(address.to_owned())
            } else {
                Instead::Nothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_mistakes_are_known_for_what_they_are() {
        for (text, reason, instead) in [
            (
                "tcp://beta:4697",
                "it begins with a scheme",
                "did you mean `beta:4697`?",
            ),
            ("https://x:1/path", "it begins with a scheme", "did you mean `x:1`?"),
            ("https://x", "it begins with a scheme", "did you mean `x:9`?"),
            ("tcp://me@beta", "it begins with a scheme", "did you mean `beta:9`?"),
            ("tcp://[::1]/", "it begins with a scheme", "did you mean `[::1]:9`?"),
            ("tcp://", "it begins with a scheme", ""),
            ("tcp://:1", "it begins with a scheme", ""),
            ("tcp://beta:http", "it begins with a scheme", ""),
            (
                "tcp://a:1;b:2",
                "it is several addresses in one",
                "write each in quotes of its own: \"a:1\", \"b:2\"",
            ),
            (
                "a:1, b:2",
                "it is several addresses in one",
                "write each in quotes of its own: \"a:1\", \"b:2\"",
            ),
            ("::1:0", "an IPv6 address needs brackets", "did you mean `[::1]:0`?"),
            (
                "2001:db8::7:4697",
                "an IPv6 address needs brackets",
                "did you mean `[2001:db8::7]:4697`?",
            ),
            ("fe80::ab:cd", "it has no port", "did you mean `[fe80::ab:cd]:9`?"),
            ("[::1]", "it has no port", "did you mean `[::1]:9`?"),
        ] {
            let found = mistaken(text, "9").unwrap();
            let help = found.instead.help().unwrap_or_default();
            assert_eq!((found.reason, help.as_str()), (reason, instead), "{text}");
        }
        for text in ["beta:4697", "beta", "[::1]:1", "a:b:1", ""] {
            assert_eq!(mistaken(text, "9"), None, "{text}");
        }
    }
}
