# The oracle: Linguist's verdict on files read from standard input, one JSON line out for each.
#
#   ruby bench/linguist.rb [FOLDER WITH languages.yml, heuristics.yml, …] < frames > verdicts
#
# A frame is a line of JSON {"path", "size"} followed by that many bytes. With a folder, Linguist's own tables are
# replaced by those in it, and its classifier passes over languages it has no samples of.
require "json"
require "fileutils"
require "tmpdir"

tables = ARGV.shift
if tables
  installed = Gem::Specification.find_by_name("github-linguist")
  folder = Dir.mktmpdir("linguist")
  at_exit { FileUtils.remove_entry(folder) }
  FileUtils.cp_r(File.join(installed.gem_dir, "lib"), folder)
  FileUtils.rm_f(File.join(folder, "lib/linguist/languages.json")) # a copy of the old table that would win
  Dir[File.join(tables, "*.yml")].each { |f| FileUtils.cp(f, File.join(folder, "lib/linguist"), preserve: false) }
  $LOAD_PATH.unshift(File.join(folder, "lib"), installed.extension_dir)
end
require "linguist"

if tables
  module Linguist
    class Classifier
      alias_method :classify_known, :classify
      def classify(tokens, languages)
        known = languages.select { |l| @tokens.key?(l) }
        known.empty? ? languages.map { |l| [l, 0.0] } : classify_known(tokens, known)
      end
    end
  end
end

# Which strategy decided.
class Recorder
  attr_accessor :strategy
  def instrument(name, payload = {})
    @strategy = payload[:strategy].to_s.split("::").last if name == "linguist.detected"
    yield if block_given?
  end
end
recorder = Recorder.new
Linguist.instrumenter = recorder

$stdin.binmode
while (line = $stdin.gets)
  frame = JSON.parse(line)
  data = $stdin.read(frame["size"]) || "".b
  blob = Linguist::Blob.new(frame["path"], data.force_encoding("ASCII-8BIT"))
  recorder.strategy = nil
  begin
    language = blob.language
    verdict = {
      language: language && language.name,
      strategy: language && recorder.strategy,
      vendored: blob.vendored?,
      generated: blob.generated? ? true : false,
    }
  rescue StandardError => error # Linguist fails on a few odd files; they are counted apart
    verdict = { error: "#{error.class}: #{error.message}"[0, 200].scrub }
  end
  puts JSON.generate(verdict)
end
