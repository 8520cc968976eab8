//! What people write in place of HOST:PORT, and what they meant.

use std::net::Ipv6Addr;

/// A text that is not HOST:PORT, but nearly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistaken {
    /// What is wrong with it.
    pub(crate) reason: &'static str,
    /// What to write in its place, in words.
    pub(crate) instead: String,
}

/// What is wrong with this text, if it is one of the usual mistakes. `port` is what is suggested where none was written.
pub(crate) fn mistaken(text: &str, port: &str) -> Option<Mistaken> {
    let found = |reason, instead| Some(Mistaken { reason, instead });
    let did_you_mean = |address: &str| format!("did you mean `{address}`?");
    let several: Vec<&str> = text
        .split([',', ';'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if several.len() > 1 {
        let quoted: Vec<String> = several.iter().map(|part| format!("\"{part}\"")).collect();
        let instead = format!("write each in quotes of its own: {}", quoted.join(", "));
        return found("it is several addresses in one", instead);
    }
    if let Some((_, rest)) = text.split_once("://") {
        let address = rest.split('/').next().unwrap_or_default();
        return found("it begins with a scheme", did_you_mean(address));
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && host.parse::<Ipv6Addr>().is_ok()
        && (port == "*" || port.parse::<u16>().is_ok())
    {
        let address = format!("[{host}]:{port}");
        return found("an IPv6 address needs brackets", did_you_mean(&address));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if bare.unwrap_or(text).parse::<Ipv6Addr>().is_ok() {
        let address = format!("[{}]:{port}", bare.unwrap_or(text));
        return found("it has no port", did_you_mean(&address));
    }
    None
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
            let expected = Mistaken {
                reason,
                instead: instead.to_owned(),
            };
            assert_eq!(mistaken(text, "9"), Some(expected), "{text}");
        }
        for text in ["beta:4697", "beta", "[::1]:1", "a:b:1", ""] {
            assert_eq!(mistaken(text, "9"), None, "{text}");
        }
    }
}
