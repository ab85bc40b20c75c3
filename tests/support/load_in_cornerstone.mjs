// What the adapters of cornerstone, the library of OHIF, make of a structured report.
// usage: node load_in_cornerstone.mjs REPORT.dcm PLANES.json
// Prints the tools with the points of each in patient mm. The images themselves are not needed:
// a provider tells where each lies.
import { readFileSync } from "node:fs";
import dcmjs from "dcmjs";
import { metaData } from "@cornerstonejs/core";
import { adaptersSR } from "@cornerstonejs/adapters";

const { MeasurementReport } = adaptersSR.Cornerstone3D;

const [report, planes] = process.argv.slice(2);
const known = JSON.parse(readFileSync(planes, "utf8"));
metaData.addProvider((type, imageId) => (type === "imagePlaneModule" ? known[imageId] : undefined), 10);

const bytes = readFileSync(report);
const file = dcmjs.data.DicomMessage.readFile(
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
);
const dataset = dcmjs.data.DicomMetaDictionary.naturalizeDataset(file.dict);
const images = Object.fromEntries(Object.keys(known).map((key) => [key, key]));
const tools = MeasurementReport.generateToolState(dataset, images, metaData);
const told = Object.fromEntries(
  Object.entries(tools).map(([tool, found]) => [
    tool,
    found.map((one) => ({
      points: one.annotation.data.handles.points.map((point) => Array.from(point)),
      label: one.annotation.data.label,
      tracking: one.TrackingUniqueIdentifier,
    })),
  ]),
);
process.stdout.write(`\nTOOLS ${JSON.stringify(told)}\n`);
process.exit(0);
