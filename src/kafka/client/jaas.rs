//! The login of a Java client: `sasl.jaas.config`, in the form of a JAAS configuration file.

use std::iter::Peekable;
use std::str::Chars;

/// A user's name and password.
#[derive(Debug, PartialEq, Eq)]
pub struct Login {
    /// `sasl.username`.
    pub username: String,
    /// `sasl.password`.
    pub password: String,
}

/// The name and password that a line for PLAIN or SCRAM has.
///
/// # Errors
/// Why it has none; never with a part of the line that may be secret.
pub fn login(line: &str) -> Result<Login, String> {
    let tokens = tokens(line)?;
    let (module, rest) = match tokens.split_first() {
        Some((Token::Word(module), rest)) => (module.as_str(), rest),
        _ => return Err("it names no login module".into()),
    };
    let name = module.rsplit('.').next().unwrap_or(module);
    match name {
        "PlainLoginModule" | "ScramLoginModule" => {}
        "OAuthBearerLoginModule" => {
            return Err("it logs in by OAUTHBEARER: write sasl.oauthbearer.method=oidc, sasl.oauthbearer.client.id, \
                        sasl.oauthbearer.client.secret and sasl.oauthbearer.token.endpoint.url in its place"
                .into());
        }
        "Krb5LoginModule" => {
            return Err(
                "it logs in by Kerberos: write sasl.kerberos.principal and sasl.kerberos.keytab in its place".into()
            );
        }
        _ => {
            return Err("only PlainLoginModule and ScramLoginModule can be translated: write sasl.username and \
                        sasl.password in its place"
                .into());
        }
    }
    if let Some(end) = rest.iter().position(|token| *token == Token::End)
        && end + 1 < rest.len()
    {
        return Err("it has more than one login module: leave one".into());
    }
    let option = |name: &str| {
        rest.windows(3).find_map(|three| match three {
            [Token::Word(found), Token::Equals, Token::Word(value)] if found == name => Some(value.clone()),
            _ => None,
        })
    };
    match (option("username"), option("password")) {
        (Some(username), Some(password)) => Ok(Login { username, password }),
        (None, _) => Err(format!("{name} has no username=\"...\"")),
        (_, None) => Err(format!("{name} has no password=\"...\"")),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Equals,
    End,
}

fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut chars = line.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(first) = chars.next() {
        tokens.push(match first {
            first if first.is_whitespace() => continue,
            '=' => Token::Equals,
            ';' => Token::End,
            quote @ ('"' | '\'') => Token::Word(quoted(&mut chars, quote)?),
            first => Token::Word(word(&mut chars, first)),
        });
    }
    Ok(tokens)
}

fn quoted(chars: &mut Peekable<Chars<'_>>, quote: char) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match chars.next() {
            Some(end) if end == quote => return Ok(text),
            Some('\\') => text.extend(chars.next()),
            Some(other) => text.push(other),
            None => return Err("a quote is not closed".into()),
        }
    }
}

fn word(chars: &mut Peekable<Chars<'_>>, first: char) -> String {
    let mut text = String::from(first);
    while let Some(next) = chars.next_if(|next| !next.is_whitespace() && !"=;\"'".contains(*next)) {
        text.push(next);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";
    const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule";

    fn is(line: &str, username: &str, password: &str) {
        assert_eq!(login(line), Ok(Login { username: username.into(), password: password.into() }), "{line}");
    }

    #[test]
    fn names_and_passwords() {
        is(&format!("{PLAIN} required username=\"alice\" password=\"secret\";"), "alice", "secret");
        is(
            &format!("{SCRAM} required username='a b'\n  password = \"x;=\\\"\\\\y\" tokenauth=\"true\" ;"),
            "a b",
            "x;=\"\\y",
        );
        is(&format!("{SCRAM} required password=p username=u;"), "u", "p");
        is(&format!("{SCRAM} required user=x username=\"\" password=\"\""), "", "");
    }

    #[test]
    fn what_has_neither_never_shows_the_secret() {
        for (line, why) in [
            ("", "it names no login module"),
            ("\"x\" required", "only PlainLoginModule and ScramLoginModule"),
            (&format!("{PLAIN} required password=\"hunter2\";"), "PlainLoginModule has no username"),
            (&format!("{SCRAM} required username=\"hunter2\";"), "ScramLoginModule has no password"),
            (&format!("{SCRAM} required username=\"a\" password=\"hunter2;"), "a quote is not closed"),
            (&format!("{PLAIN} required username=a password=hunter2; {SCRAM} required;"), "more than one login module"),
            ("com.sun.security.auth.module.Krb5LoginModule required keyTab=hunter2;", "by Kerberos"),
            (
                "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientSecret=hunter2;",
                "oidc",
            ),
            ("software.amazon.msk.auth.iam.IAMLoginModule required hunter2=1;", "only PlainLoginModule"),
        ] {
            let error = login(line).unwrap_err();
            assert!(error.contains(why) && !error.contains("hunter2"), "{line}: {error}");
        }
    }
}
