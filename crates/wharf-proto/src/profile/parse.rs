//! The parser: lines to raw sections, raw sections to [`Profiles`].

use super::{FileKind, ProfileError, ProfileWarning, Profiles, Property, Section};

/// What a header says the section is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Profile,
    /// `[default]` in the config file, which gives way to `[profile default]`.
    BareDefault,
    SsoSession,
    Services,
}

/// A section as it stands in the file. What is skipped stays in until the end, so that the lines that belong to it are
/// skipped with it.
struct RawSection {
    line: usize,
    header: Option<(Kind, String)>,
    properties: Vec<RawProperty>,
}

struct RawProperty {
    name: Option<String>,
    property: Property,
}

pub(super) fn parse(file: FileKind, text: &str) -> Result<Profiles, ProfileError> {
    let mut parser = Parser { file, line: 0, sections: Vec::new(), warnings: Vec::new() };
    // Editors on Windows put a byte order mark in front.
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).split('\n') {
        parser.line += 1;
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            parser.section(trimmed)?;
        } else if line.starts_with(char::is_whitespace) {
            parser.continuation(trimmed)?;
        } else {
            parser.property(trimmed)?;
        }
    }
    Ok(parser.finish())
}

struct Parser {
    file: FileKind,
    /// The line under the eye, from 1.
    line: usize,
    sections: Vec<RawSection>,
    warnings: Vec<ProfileWarning>,
}

impl Parser {
    fn section(&mut self, line: &str) -> Result<(), ProfileError> {
        let end = "Profile definition must end with ']'; write it as [profile work] on a line of its own";
        let (name, rest) = line[1..].split_once(']').ok_or_else(|| self.error(end))?;
        let rest = rest.trim_start();
        if !rest.is_empty() && !rest.starts_with(['#', ';']) {
            return Err(self.error(end));
        }
        let header = match self.file {
            FileKind::Config => config_header(name.trim()),
            FileKind::Credentials => credentials_header(name.trim()),
        };
        let header = header.map_err(|message| self.warn(self.line, message)).ok();
        self.sections.push(RawSection { line: self.line, header, properties: Vec::new() });
        Ok(())
    }

    fn property(&mut self, line: &str) -> Result<(), ProfileError> {
        if self.sections.is_empty() {
            return Err(self.no_section());
        }
        let (name, value) = without_comment(line).split_once('=').ok_or_else(|| {
            self.error("Expected an '=' sign defining a property; write it as name = value, on one line")
        })?;
        let name = name.trim().to_ascii_lowercase();
        if name.is_empty() {
            return Err(self.error("Property did not have a name; write it as name = value"));
        }
        let property = Property::new(self.file, self.line, &name, value.trim());
        let name = is_name(&name).then_some(name);
        if name.is_none() {
            self.warn(self.line, "skipped: the name of a property holds letters, digits and - _ . / % @ : + only");
        }
        if let Some(section) = self.sections.last_mut() {
            section.properties.push(RawProperty { name, property });
        }
        Ok(())
    }

    fn continuation(&mut self, line: &str) -> Result<(), ProfileError> {
        if self.sections.is_empty() {
            return Err(self.no_section());
        }
        // Taken out while it grows, so that errors and warnings can borrow the parser.
        let Some(mut raw) = self.sections.last_mut().and_then(|section| section.properties.pop()) else {
            return Err(self.error(
                "Expected a property definition, found continuation; remove the white space at the start of the line",
            ));
        };
        let pair = line.split_once('=').map(|(name, value)| (name.trim().to_ascii_lowercase(), value));
        let property = &mut raw.property;
        if property.value.is_empty() || property.value.starts_with('\n') {
            let (name, value) = pair.ok_or_else(|| {
                self.error("Expected an '=' sign defining a sub-property; write it indented, as name = value")
            })?;
            if name.is_empty() {
                return Err(self.error("Sub-property did not have a name; write it indented, as name = value"));
            }
            let sub_property = Property::new(self.file, self.line, &name, without_comment(value).trim());
            property.sub_properties.insert(name, sub_property);
        } else if pair.is_some_and(|(name, _)| is_name(&name)) {
            self.warn(
                self.line,
                "taken as more of the value above, since it is indented; remove the white space if it is a property",
            );
        }
        property.value.push('\n');
        property.value.push_str(line);
        if let Some(section) = self.sections.last_mut() {
            section.properties.push(raw);
        }
        Ok(())
    }

    fn finish(mut self) -> Profiles {
        let sections = std::mem::take(&mut self.sections);
        let prefixed_default = sections
            .iter()
            .any(|raw| raw.header.as_ref().is_some_and(|(kind, name)| *kind == Kind::Profile && name == "default"));
        let mut profiles = Profiles::default();
        for raw in sections {
            let Some((kind, name)) = raw.header else { continue };
            let map = match kind {
                // In the credentials file `[default]` is a profile like any other.
                Kind::BareDefault if prefixed_default => {
                    self.warn(raw.line, "skipped: [profile default] is in this file too and goes first; keep one");
                    continue;
                }
                Kind::Profile | Kind::BareDefault => &mut profiles.profiles,
                Kind::SsoSession => &mut profiles.sso_sessions,
                Kind::Services => &mut profiles.services,
            };
            let section = map.entry(name).or_insert_with(|| Section {
                file: self.file,
                line: raw.line,
                properties: Default::default(),
            });
            let named = raw.properties.into_iter().filter_map(|raw| Some((raw.name?, raw.property)));
            section.properties.extend(named);
        }
        self.warnings.sort_by_key(|warning| warning.line);
        profiles.warnings = self.warnings;
        profiles
    }

    fn error(&self, message: &'static str) -> ProfileError {
        ProfileError { file: self.file, line: self.line, message }
    }

    fn no_section(&self) -> ProfileError {
        self.error(match self.file {
            FileKind::Config => "Expected a profile definition; start the file with [default] or [profile work]",
            FileKind::Credentials => "Expected a profile definition; start the file with [default] or [work]",
        })
    }

    fn warn(&mut self, line: usize, message: &'static str) {
        self.warnings.push(ProfileWarning { file: self.file, line, message });
    }
}

/// The kind and name of a section, or why it is skipped.
fn config_header(header: &str) -> Result<(Kind, String), &'static str> {
    if header == "default" {
        return Ok((Kind::BareDefault, header.to_owned()));
    }
    let (prefix, name) = header.split_once(char::is_whitespace).unwrap_or((header, ""));
    let kind = match prefix {
        "profile" => Kind::Profile,
        "sso-session" => Kind::SsoSession,
        "services" => Kind::Services,
        _ => {
            return Err("skipped: a section of the config file is [default], [profile NAME], [sso-session NAME] or \
                        [services NAME]");
        }
    };
    named(kind, name.trim_start())
}

fn credentials_header(header: &str) -> Result<(Kind, String), &'static str> {
    if header.starts_with("profile") && header.contains(char::is_whitespace) {
        return Err("skipped: in the credentials file a profile is [NAME], without the word profile");
    }
    named(Kind::Profile, header)
}

fn named(kind: Kind, name: &str) -> Result<(Kind, String), &'static str> {
    if is_name(name) {
        Ok((kind, name.to_owned()))
    } else {
        Err("skipped: the name of a section holds letters, digits and - _ . / % @ : + only")
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./%@:+".contains(&byte))
}

/// The part of a line before a comment, which starts with `#` or `;` after white space: a value may hold either.
fn without_comment(line: &str) -> &str {
    let mut after_space = false;
    for (at, character) in line.char_indices() {
        if after_space && matches!(character, '#' | ';') {
            return &line[..at];
        }
        after_space = character.is_whitespace();
    }
    line
}
