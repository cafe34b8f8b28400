import Configuration
import Foundation
import TestSupport
import Testing
import Yams

/// cluster/kubernetes.yaml holds what the MPI Operator's definition of MPIJob allows, and a configuration that is read.
@Suite struct KubernetesFileTests {
  private typealias Object = [String: Any]

  /// The file's documents by kind, and the definitions.
  private struct Files {
    let documents: [String: Object]
    let definitions: Object

    init() throws {
      func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
      var documents: [String: Object] = [:]
      for document in try Yams.load_all(yaml: text(Fixtures.packageRoot + "/cluster/kubernetes.yaml")) {
        let object = try #require(document as? Object)
        documents[try #require(object["kind"] as? String)] = object
      }
      self.documents = documents
      definitions = try #require(
        try Yams.load(yaml: text(Fixtures.packageRoot + "/Tests/Fixtures/mpijob-v2beta1.yaml")) as? Object)
    }

    func faults(_ value: Any, of kind: String) throws -> [String] {
      Definition.faults(of: value, at: kind, try #require(definitions[kind] as? Object))
    }
  }

  /// A part of a Kubernetes definition: the constructs of JSON Schema that these use.
  private enum Definition {
    static func faults(of value: Any, at path: String, _ definition: Object) -> [String] {
      if definition["x-left-out"] != nil {
        return ["\(path): its definition was left out of Tests/Fixtures/mpijob-v2beta1.yaml; add it"]
      }
      if definition["x-kubernetes-int-or-string"] != nil {
        return value is Int || value is String ? [] : ["\(path): neither a whole number nor a text"]
      }
      if let allowed = definition["enum"] as? [String] {
        guard let text = value as? String, allowed.contains(text) else { return ["\(path): none of \(allowed)"] }
        return []
      }
      switch definition["type"] as? String {
      case "object": return objectFaults(of: value, at: path, definition)
      case "array":
        guard let values = value as? [Any] else { return ["\(path): not a list"] }
        let items = definition["items"] as? Object ?? [:]
        return values.enumerated().flatMap { faults(of: $1, at: "\(path)[\($0)]", items) }
      case "string": return value is String ? [] : ["\(path): not a text"]
      case "boolean": return value is Bool ? [] : ["\(path): not true or false"]
      case "integer":
        guard let number = value as? Int else { return ["\(path): not a whole number"] }
        return number < definition["minimum"] as? Int ?? .min ? ["\(path): too small"] : []
      default: return ["\(path): without a type in the definition"]
      }
    }

    private static func objectFaults(of value: Any, at path: String, _ definition: Object) -> [String] {
      guard let object = value as? Object else { return ["\(path): not an object"] }
      // Kubernetes itself defines it.
      if path.hasSuffix(".metadata") { return object.keys.filter { $0 != "name" }.map { "\(path).\($0): unknown" } }
      let required = (definition["required"] as? [String] ?? []).filter { object[$0] == nil }
      let properties = definition["properties"] as? Object
      let others = definition["additionalProperties"] as? Object
      return required.map { "\(path).\($0): missing" }
        + object.keys.sorted().flatMap { key -> [String] in
          guard let value = object[key], let part = properties?[key] as? Object ?? others else {
            return ["\(path).\(key): unknown"]
          }
          return faults(of: value, at: "\(path).\(key)", part)
        }
    }
  }

  @Test func theJobIsWhatTheOperatorDefines() throws {
    let files = try Files()
    #expect(files.documents.keys.sorted() == ["ConfigMap", "MPIJob", "PersistentVolumeClaim"])
    let job = try #require(files.documents["MPIJob"])
    #expect(job["apiVersion"] as? String == "kubeflow.org/v2beta1")
    #expect(try files.faults(job, of: "MPIJob") == [])
    let claim = try #require(files.documents["PersistentVolumeClaim"])
    #expect(try files.faults(try #require(claim["spec"]), of: "PersistentVolumeClaimSpec") == [])
  }

  @Test(arguments: [
    ("slotsPerWorker: 8", "slotsPerWorkers: 8", "MPIJob.spec.slotsPerWorkers: unknown"),
    ("slotsPerWorker: 8", "slotsPerWorker: eight", "MPIJob.spec.slotsPerWorker: not a whole number"),
    ("OpenMPI", "OpenMP", "MPIJob.spec.mpiImplementation: none of [\"OpenMPI\", \"Intel\", \"MPICH\"]"),
    (
      "image: lmconv:latest\n              command", "picture: lmconv:latest\n              command",
      "MPIJob.spec.mpiReplicaSpecs.Worker.template.spec.containers[0].picture: unknown"
    ),
    (
      "- name: worker", "- title: worker",
      "MPIJob.spec.mpiReplicaSpecs.Worker.template.spec.containers[0].name: missing"
    ),
    (
      "lifecycle:", "livenessProbe:",
      "MPIJob.spec.mpiReplicaSpecs.Worker.template.spec.containers[0].livenessProbe: its definition was left out of "
        + "Tests/Fixtures/mpijob-v2beta1.yaml; add it"
    ),
  ])
  func whatItDoesNotDefineIsFound(text: String, replacement: String, fault: String) throws {
    let files = try Files()
    let source = try String(contentsOfFile: Fixtures.packageRoot + "/cluster/kubernetes.yaml", encoding: .utf8)
    #expect(source.contains(text))
    let changed = try Yams.load_all(yaml: source.replacingOccurrences(of: text, with: replacement))
      .compactMap { $0 as? Object }.first { $0["kind"] as? String == "MPIJob" }
    let faults = try files.faults(try #require(changed), of: "MPIJob")
    #expect(faults.contains(fault), "\(faults)")
  }

  @Test func itsPartsFitTogether() throws {
    let files = try Files()
    func name(_ kind: String) -> String? { (files.documents[kind]?["metadata"] as? Object)?["name"] as? String }
    let map = try #require(files.documents["ConfigMap"])
    #expect(map["apiVersion"] as? String == "v1")
    let texts = try #require(map["data"] as? [String: String])
    let configuration = try RunConfiguration(yaml: try #require(texts["run.yaml"]), path: "run.yaml")

    let specification = try #require(files.documents["MPIJob"]?["spec"] as? Object)
    let roles = try #require(specification["mpiReplicaSpecs"] as? [String: Object])
    let slots = try #require(specification["slotsPerWorker"] as? Int)
    let workers = try #require(roles["Worker"]?["replicas"] as? Int)
    #expect(configuration.training.microbatches >= slots * workers)
    for (role, replica) in roles {
      let pod = try #require((replica["template"] as? Object)?["spec"] as? Object)
      var names: Set<String> = []
      for volume in try #require(pod["volumes"] as? [Object]) {
        names.insert(try #require(volume["name"] as? String))
        if let claim = volume["persistentVolumeClaim"] as? Object {
          #expect(claim["claimName"] as? String == name("PersistentVolumeClaim"), "\(role)")
        }
        if let map = volume["configMap"] as? Object { #expect(map["name"] as? String == name("ConfigMap"), "\(role)") }
      }
      for container in try #require(pod["containers"] as? [Object]) {
        for mount in try #require(container["volumeMounts"] as? [Object]) {
          #expect(names.contains(try #require(mount["name"] as? String)), "\(role)")
        }
      }
    }
  }
}
