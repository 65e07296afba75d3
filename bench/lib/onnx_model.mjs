// Reading and rewriting ONNX models, to see inside them: more outputs, a branch on its own, and
// weights without activation quantisation.

import {existsSync, readFileSync} from 'node:fs';
import protobuf from 'protobufjs/index.js';

// Where Debian's libonnx-dev puts the schema.
const kSchema = process.env.ONNX_PROTO ?? '/usr/include/onnx/onnx.proto';
const kFloat = 1;

function ModelProto() {
  if (!existsSync(kSchema)) {
    throw new Error(`${kSchema} is missing: install libonnx-dev, or name the file in ONNX_PROTO`);
  }
  return protobuf.parse(readFileSync(kSchema, 'utf8'), {keepCase: true})
      .root.lookupType('onnx.ModelProto');
}

const kModelProto = ModelProto();

export function ReadModel(file) {
  return kModelProto.decode(readFileSync(file));
}

export function Encoded(model) {
  return kModelProto.encode(model).finish();
}

/// Makes `names` outputs of the graph too.
export function Expose(graph, names) {
  const produced = new Set(graph.node.flatMap((node) => node.output));
  for (const name of names) {
    if (!produced.has(name)) throw new Error(`the graph makes no ${name}`);
    graph.output.push({name, type: {tensor_type: {elem_type: kFloat}}});
  }
}

/// Puts the nodes of one branch of the graph's If in the place of the graph's.
export function HoistBranch(graph, branch) {
  const choice = graph.node.find((node) => node.op_type === 'If');
  const inner = choice.attribute.find((attribute) => attribute.name === branch).g;
  graph.node = inner.node;
  graph.initializer.push(...inner.initializer);
  graph.output = inner.output;
}

/// Undoes the quantisation of activations: every DynamicQuantizeLinear -> MatMulInteger -> Cast ->
/// Mul becomes DequantizeLinear of the same 8-bit weight and a MatMul in float.
export function WithFloatActivations(graph) {
  const producer = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node])));
  const user = new Map(graph.node.flatMap((node) => node.input.map((name) => [name, node])));
  const removed = new Set();
  const added = new Map();  // node replaced -> nodes in its place
  for (const product of graph.node.filter((node) => node.op_type === 'MatMulInteger')) {
    const [activation, weight, , zero_point] = product.input;
    const quantise = producer.get(activation);
    const cast = user.get(product.output[0]);
    const rescale = user.get(cast.output[0]);
    const scales = producer.get(rescale.input[1]);
    const shape = [quantise, cast, rescale, scales].map((node) => node.op_type).join(' ');
    if (shape !== 'DynamicQuantizeLinear Cast Mul Mul') {
      throw new Error(`${product.name} stands among ${shape}`);
    }
    const dequantised = `${product.name}:weight`;
    added.set(rescale, [
      {op_type: 'DequantizeLinear', input: [weight, scales.input[1], zero_point], output: [dequantised]},
      {op_type: 'MatMul', input: [quantise.input[0], dequantised], output: rescale.output},
    ]);
    for (const node of [product, cast, scales, quantise]) removed.add(node);
  }
  graph.node = graph.node.filter((node) => !removed.has(node))
      .flatMap((node) => added.get(node) ?? [node]);
}
