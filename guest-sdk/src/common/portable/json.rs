//! JSON as portable state needs it: numbers stay the text that they are, and what is wrong within a value is known to be within it.
//!
//! A JSON library makes a double of each number and gives up a text at the first half of a surrogate pair. Here the field has to be
//! named that doesn't hold what it should.

/// The deepest nesting that is read. Types of states don't come near it; a `json<…>` value may.
const DEEPEST: usize = 100;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    /// None if it has half of a surrogate pair.
    String(Option<String>),
    Array(Vec<Json>),
    /// In the order of the text. A key with half of a surrogate pair is none.
    Object(Vec<(Option<String>, Json)>),
}

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Json, String> {
    let mut parser = Parser { rest: text, depth: 0 };
    let value = parser.value()?;
    parser.white_space();
    match parser.rest.len() {
        0 => Ok(value),
        more => Err(format!("{more} bytes follow its end")),
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Json, String> {
        self.white_space();
        match self.rest.bytes().next() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            _ => {
                let words = [
                    ("null", Json::Null),
                    ("true", Json::Bool(true)),
                    ("false", Json::Bool(false)),
                ];
                let word = words.into_iter().find(|(word, _)| self.take(word));
                word.map(|(_, value)| value).ok_or_else(|| self.unexpected("a value"))
            }
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Json, String>) -> Result<Json, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Json, String> {
        let mut entries = Vec::new();
        self.expect("{")?;
        self.white_space();
        if self.take("}") {
            return Ok(Json::Object(entries));
        }
        loop {
            self.white_space();
            let key = self.string()?;
            self.white_space();
            self.expect(":")?;
            entries.push((key, self.value()?));
            self.white_space();
            if self.take("}") {
                return Ok(Json::Object(entries));
            }
            self.expect(",")?;
        }
    }

    fn array(&mut self) -> Result<Json, String> {
        let mut elements = Vec::new();
        self.expect("[")?;
        self.white_space();
        if self.take("]") {
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            self.white_space();
            if self.take("]") {
                return Ok(Json::Array(elements));
            }
            self.expect(",")?;
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
    fn number(&mut self) -> Result<String, String> {
        let text = self.rest;
        self.take("-");
        if !self.take("0") {
            self.digits()?;
        }
        if self.take(".") {
            self.digits()?;
        }
        if self.take("e") || self.take("E") {
            let _sign = self.take("+") || self.take("-");
            self.digits()?;
        }
        let length = text.len() - self.rest.len();
        Ok(text.get(..length).unwrap_or_default().to_owned())
    }

    fn digits(&mut self) -> Result<(), String> {
        let rest = self
            .rest
            .trim_start_matches(|character: char| character.is_ascii_digit());
        if rest.len() == self.rest.len() {
            return Err(self.unexpected("a digit"));
        }
        self.rest = rest;
        Ok(())
    }

    fn string(&mut self) -> Result<Option<String>, String> {
        self.expect("\"")?;
        let mut string = String::new();
        let mut is_whole = true;
        loop {
            let plain = self.rest.find(['"', '\\']).ok_or("a string has no end")?;
            let (before, rest) = self.rest.split_at(plain);
            if before.contains(|character: char| character < ' ') {
                return Err("a string has a control character".to_owned());
            }
            string.push_str(before);
            self.rest = rest;
            if self.take("\"") {
                return Ok(is_whole.then_some(string));
            }
            self.expect("\\")?;
            match self.escape()? {
                Some(character) => string.push(character),
                None => is_whole = false,
            }
        }
    }

    /// The character that follows a backslash; none if it is half of a pair.
    fn escape(&mut self) -> Result<Option<char>, String> {
        let escapes = [
            ("\"", '"'),
            ("\\", '\\'),
            ("/", '/'),
            ("b", '\u{8}'),
            ("f", '\u{c}'),
            ("n", '\n'),
            ("r", '\r'),
            ("t", '\t'),
        ];
        if let Some((_, character)) = escapes.into_iter().find(|(escape, _)| self.take(escape)) {
            return Ok(Some(character));
        }
        self.expect("u")?;
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first));
        }
        let before = self.rest;
        if self.take("\\u") {
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                return Ok(char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)));
            }
        }
        // What follows isn't its other half, and stands for itself.
        self.rest = before;
        Ok(None)
    }

    fn four_digits(&mut self) -> Result<u32, String> {
        let digits = self
            .rest
            .get(..4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let number = number.ok_or_else(|| self.unexpected("four hexadecimal digits"))?;
        self.rest = self.rest.get(4..).unwrap_or_default();
        Ok(number)
    }

    fn white_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.take(text) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{text}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.rest.chars().next() {
            Some(found) => format!("expected {wanted}, found {found:?}"),
            None => format!("expected {wanted}, found the end"),
        }
    }
}

/// Appends a string in its quotes.
pub(super) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            plain => out.push(plain),
        }
    }
    out.push('"');
}
